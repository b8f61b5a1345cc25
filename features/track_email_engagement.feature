Feature: Track what candidates do with an email
  Each report is understood, matched with its email and recorded; the email's own log is brought up to date. Recruiters
  see at a glance whether and when a candidate read it.

  (Notifications, steps 7 and 8 of the basic flow, are not part of this feature.)

  @FLOW-3 @FLOW-4 @FLOW-5 @FLOW-6
  Scenario Outline: Every kind of report is recorded and shows in the email's log
    Given Northwind, a recruiting team that sends by <provider>
    And these emails were sent:
      | to         |
      | John Smith |
    When the provider reports:
      | to         | what happened   | when        | link                  |
      | John Smith | <what happened> | 2 hours ago | https://jobs.test/one |
    Then the email to John Smith shows:
      | <shows> | 2 hours ago |
    And the timeline of the email to John Smith reads:
      | what happened | when        |
      | <recorded>    | 2 hours ago |

    Examples:
      | provider            | what happened    | shows            | recorded    |
      | SendGrid            | delivered        | delivered        | delivered   |
      | SendGrid            | opened           | opened           | open        |
      | SendGrid            | bounced          | bounced          | bounce      |
      | SendGrid            | reported as spam | reported as spam | spam        |
      | SendGrid            | unsubscribed     | unsubscribed     | unsubscribe |
      | Amazon SES          | delivered        | delivered        | delivered   |
      | Amazon SES          | opened           | opened           | open        |
      | Amazon SES          | bounced          | bounced          | bounce      |
      | Amazon SES          | reported as spam | reported as spam | spam        |
      | Amazon SES          | unsubscribed     | unsubscribed     | unsubscribe |
      | another mail system | delivered        | delivered        | delivered   |
      | another mail system | opened           | opened           | open        |
      | another mail system | bounced          | bounced          | bounce      |
      | another mail system | reported as spam | reported as spam | spam        |
      | another mail system | unsubscribed     | unsubscribed     | unsubscribe |
      | another mail system | replied          | replied          | reply       |

  @FLOW-3 @FLOW-5 @FLOW-6 @MET-1
  Scenario Outline: A click is recorded with its link, and tells that the email was opened
    Given Northwind, a recruiting team that sends by <provider>
    And these emails were sent:
      | to         | campaign |
      | John Smith | Spring   |
    When the provider reports:
      | to         | what happened | when        | link                  |
      | John Smith | clicked       | 2 hours ago | https://jobs.test/one |
    Then the email to John Smith shows:
      | clicked | 2 hours ago |
      | clicks  | 1           |
    And the timeline of the email to John Smith reads:
      | what happened | when        | link                  |
      | click         | 2 hours ago | https://jobs.test/one |
    And the figures of the campaign "Spring" are:
      | opened | 1 |

    Examples:
      | provider            |
      | SendGrid            |
      | Amazon SES          |
      | another mail system |

  @FLOW-3 @FLOW-6
  Scenario Outline: Bounces are told apart by how final they are
    Given Northwind, a recruiting team that sends by <provider>
    And these emails were sent:
      | to         |
      | John Smith |
      | Jane Doe   |
    When the provider reports:
      | to         | what happened   | when        |
      | John Smith | bounced         | 2 hours ago |
      | Jane Doe   | bounced for now | 1 hour ago  |
    Then these emails show:
      | to         | bounced     | bounce | reason                 |
      | John Smith | 2 hours ago | hard   | mailbox_does_not_exist |
      | Jane Doe   | 1 hour ago  | soft   | mailbox_full           |

    Examples:
      | provider            |
      | SendGrid            |
      | Amazon SES          |
      | another mail system |

  @FLOW-4
  Scenario: A report finds its email by message id and recipient, also where one message went to several people
    Given Northwind, a recruiting team that sends by Amazon SES
    And these emails were sent:
      | to         | message id |
      | John Smith | same-1     |
      | Jane Doe   | same-1     |
    When the provider reports:
      | to       | what happened | when        |
      | Jane Doe | opened        | 2 hours ago |
    Then these emails show:
      | to         | opens |
      | John Smith | 0     |
      | Jane Doe   | 1     |

  @BR-558.2
  Scenario: The first opening sets the time, every opening counts
    Given Northwind, a recruiting team that sends by SendGrid
    And these emails were sent:
      | to         | sent       |
      | John Smith | 3 days ago |
    When the provider reports:
      | to         | what happened | when        |
      | John Smith | opened        | 2 days ago  |
      | John Smith | opened        | 1 day ago   |
      | John Smith | opened        | 2 hours ago |
    Then the email to John Smith shows:
      | opened       | 2 days ago |
      | opens        | 3          |
      | time to open | 1 day      |

  @BR-558.2
  Scenario Outline: An earlier opening that is reported late becomes the first
    Given Northwind, a recruiting team that sends by <provider>
    And these emails were sent:
      | to         |
      | John Smith |
    And the provider reported:
      | to         | what happened | when        |
      | John Smith | opened        | 2 hours ago |
    When the provider reports:
      | to         | what happened | when       |
      | John Smith | opened        | 2 days ago |
    Then the email to John Smith shows:
      | opened | 2 days ago |
      | opens  | 2          |

    Examples:
      | provider            |
      | SendGrid            |
      | Amazon SES          |
      | another mail system |

  @BR-558.2 @BR-558.7
  Scenario: An opening that the provider knows to be a machine's is no opening
    Given Northwind, a recruiting team that sends by SendGrid
    And these emails were sent:
      | to         |
      | John Smith |
    When the provider reports:
      | to         | what happened       | when        |
      | John Smith | opened by a machine | 3 hours ago |
    Then the email to John Smith shows:
      | opened            |   |
      | opens             | 0 |
      | opens by machines | 1 |
    And the timeline of the email to John Smith, with what machines did, reads:
      | what happened | when        | judged       |
      | open          | 3 hours ago | machine_open |
    When the provider reports:
      | to         | what happened | when        |
      | John Smith | opened        | 2 hours ago |
    Then the email to John Smith shows:
      | opened            | 2 hours ago |
      | opens             | 1           |
      | opens by machines | 1           |

  @PRE-2
  Scenario: Of an email sent without tracking only its delivery is recorded
    Given Northwind, a recruiting team that sends by SendGrid
    And these emails were sent:
      | to         | tracked |
      | John Smith | no      |
    When the provider reports:
      | to         | what happened | when        | link                  |
      | John Smith | delivered     | 4 days ago  |                       |
      | John Smith | opened        | 3 hours ago |                       |
      | John Smith | clicked       | 2 hours ago | https://jobs.test/one |
    Then the timeline of the email to John Smith reads:
      | what happened | when       |
      | delivered     | 4 days ago |

  @FLOW-4
  Scenario: Registering an email again changes nothing
    Given Northwind, a recruiting team that sends by SendGrid
    And these emails were sent:
      | to         | message id |
      | John Smith | again-1    |
    And the provider reported:
      | to         | what happened | when        |
      | John Smith | opened        | 2 hours ago |
    When these emails are registered:
      | to         | message id |
      | John Smith | again-1    |
    Then the email to John Smith shows:
      | opens | 1 |
