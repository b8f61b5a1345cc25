Feature: Reports that come too early, twice, or in any order
  Providers report before the email is registered, repeat themselves (up to 46 times were seen), and keep no order. What
  recruiters see is the same as if each report had come once, in order, to a known email.

  @EF-2
  Scenario Outline: A report about an unknown email waits, visibly, and is matched when the email is registered
    Given Northwind, a recruiting team that sends by <provider>
    When the provider reports about emails that nobody registered, with message id "early-1":
      | to         | what happened | when        |
      | John Smith | delivered     | 3 hours ago |
      | John Smith | opened        | 2 hours ago |
    Then every report is acknowledged
    And the orphaned reports are:
      | state    | reason                                                | message id | seen |
      | orphaned | no registered email has this message id and recipient | early-1    | 1    |
      | orphaned | no registered email has this message id and recipient | early-1    | 1    |
    When these emails are registered:
      | to         | message id |
      | John Smith | early-1    |
    Then the email to John Smith shows:
      | delivered | 3 hours ago |
      | opened    | 2 hours ago |
      | opens     | 1           |
    And no orphaned report is left

    Examples:
      | provider            |
      | SendGrid            |
      | Amazon SES          |
      | another mail system |

  @EF-2 @BR-558.5
  Scenario: An orphan that is repeated waits once and counts once
    Given Northwind, a recruiting team that sends by SendGrid
    When the provider reports about emails that nobody registered, with message id "early-1":
      | to         | what happened | when        |
      | John Smith | opened        | 2 hours ago |
    And the provider repeats all of this 2 times
    Then the orphaned reports are:
      | message id | seen |
      | early-1    | 3    |
    When these emails are registered:
      | to         | message id |
      | John Smith | early-1    |
    And the provider repeats all of this 1 times
    Then the email to John Smith shows:
      | opens | 1 |
    And no orphaned report is left

  @EF-2
  Scenario: An orphan waits for its own recipient
    Given Northwind, a recruiting team that sends by SendGrid
    When the provider reports about emails that nobody registered, with message id "early-1":
      | to         | what happened | when        |
      | John Smith | opened        | 2 hours ago |
    And these emails are registered:
      | to       | message id |
      | Jane Doe | early-1    |
    Then the email to Jane Doe shows:
      | opens | 0 |
    And the orphaned reports are:
      | state    | message id |
      | orphaned | early-1    |

  @EF-2 @ROLE
  Scenario: An orphan waits for an email of its own team
    Given Northwind, a recruiting team that sends by SendGrid
    And Southgate, a recruiting team that sends by SendGrid
    When the provider reports about emails that nobody registered, with message id "early-1":
      | to         | what happened | when        |
      | John Smith | opened        | 2 hours ago |
    And Southgate registers these emails:
      | to         | message id |
      | John Smith | early-1    |
    Then Northwind sees these orphaned reports:
      | state    | message id |
      | orphaned | early-1    |
    And Southgate sees these orphaned reports:
      | state |

  @EF-2 @FLOW-4
  Scenario: Known and unknown emails in one delivery
    Given Northwind, a recruiting team that sends by SendGrid
    And these emails were sent:
      | to       | message id |
      | Jane Doe | known-1    |
    When the provider reports about emails that nobody registered, with message id "known-1":
      | to         | what happened | when        |
      | Jane Doe   | opened        | 2 hours ago |
      | John Smith | opened        | 1 hour ago  |
    Then the email to Jane Doe shows:
      | opens | 1 |
    And the orphaned reports are:
      | message id |
      | known-1    |

  @EF-3 @BR-558.5
  Scenario Outline: A repeated report is acknowledged and changes nothing
    Given Northwind, a recruiting team that sends by <provider>
    And these emails were sent:
      | to         |
      | John Smith |
    And the provider reported:
      | to         | what happened | when        | link                  |
      | John Smith | delivered     | 4 days ago  |                       |
      | John Smith | opened        | 3 hours ago |                       |
      | John Smith | clicked       | 2 hours ago | https://jobs.test/one |
      | John Smith | bounced       | 1 hour ago  |                       |
    When the provider repeats all of this <times>
    Then every report is acknowledged
    And the email to John Smith shows:
      | opens           | 1 |
      | clicks          | 1 |
      | different links | 1 |
    And the timeline of the email to John Smith reads:
      | what happened | when        |
      | delivered     | 4 days ago  |
      | open          | 3 hours ago |
      | click         | 2 hours ago |
      | bounce        | 1 hour ago  |
    And no report waits for anybody

    Examples:
      | provider            | times                        |
      | SendGrid            | 1 times                      |
      | SendGrid            | 45 times                     |
      | SendGrid            | 16 times at once             |
      | Amazon SES          | 2 times                      |
      | Amazon SES          | 8 times at once              |
      | Amazon SES          | 8 times, shuffled            |
      | another mail system | 2 times                      |
      | another mail system | 16 times at once             |

  @EF-3 @BR-558.5
  Scenario: A report that is repeated 30 hours later changes nothing
    Given Northwind, a recruiting team that sends by SendGrid
    And these emails were sent:
      | to         |
      | John Smith |
    And the provider reported:
      | to         | what happened | when         |
      | John Smith | opened        | 31 hours ago |
    When the provider repeats all of this with the signature of 30 hours ago
    Then every report is acknowledged
    And the email to John Smith shows:
      | opened | 31 hours ago |
      | opens  | 1            |

  @BR-558.5
  Scenario: Repeated within one delivery, a report counts once
    Given Northwind, a recruiting team that sends by SendGrid
    And these emails were sent:
      | to         |
      | John Smith |
    When the provider reports 100 times that John Smith opened the email, under 5 numbers
    Then the email to John Smith shows:
      | opens | 5 |

  @BR-558.5
  Scenario: Two different reports of the same second are two
    Given Northwind, a recruiting team that sends by SendGrid
    And these emails were sent:
      | to         |
      | John Smith |
    When the provider reports:
      | to         | what happened | when        | link                  | number |
      | John Smith | opened        | 2 hours ago |                       | n-1    |
      | John Smith | opened        | 2 hours ago |                       | n-2    |
      | John Smith | clicked       | 1 hour ago  | https://jobs.test/one | n-3    |
      | John Smith | clicked       | 1 hour ago  | https://jobs.test/one | n-4    |
    Then the email to John Smith shows:
      | opens           | 2 |
      | clicks          | 2 |
      | different links | 1 |

  @BR-558.5
  Scenario Outline: Where the provider gives a report no number, kind and moment tell that it is the same
    Given Northwind, a recruiting team that sends by Amazon SES
    And these emails were sent:
      | to         |
      | John Smith |
    When the provider reports one by one:
      | to         | what happened   | when        | number |
      | John Smith | <what happened> | 2 hours ago | n-1    |
      | John Smith | <what happened> | 2 hours ago | n-2    |
    Then the timeline of the email to John Smith reads:
      | what happened | when        |
      | <recorded>    | 2 hours ago |

    Examples:
      | what happened    | recorded  |
      | delivered        | delivered |
      | bounced          | bounce    |
      | reported as spam | spam      |

  @BR-558.5 @BR-558.2
  Scenario Outline: In whatever order reports come, the email shows the same
    Given Northwind, a recruiting team that sends by SendGrid
    And these emails were sent:
      | to         |
      | John Smith |
    When the provider reports one by one:
      | to         | what happened | when     | link                  |
      | John Smith | <first>       | <when 1> | https://jobs.test/one |
      | John Smith | <second>      | <when 2> | https://jobs.test/one |
      | John Smith | <third>       | <when 3> | https://jobs.test/one |
      | John Smith | <fourth>      | <when 4> | https://jobs.test/one |
    Then the email to John Smith shows:
      | delivered | 4 days ago |
      | opened    | 3 days ago |
      | opens     | 1          |
      | clicked   | 2 days ago |
      | bounced   | 1 day ago  |
    And the timeline of the email to John Smith reads:
      | what happened | when       |
      | delivered     | 4 days ago |
      | open          | 3 days ago |
      | click         | 2 days ago |
      | bounce        | 1 day ago  |

    Examples:
      | first     | when 1     | second    | when 2     | third     | when 3     | fourth    | when 4     |
      | delivered | 4 days ago | opened    | 3 days ago | clicked   | 2 days ago | bounced   | 1 day ago  |
      | bounced   | 1 day ago  | clicked   | 2 days ago | opened    | 3 days ago | delivered | 4 days ago |
      | clicked   | 2 days ago | delivered | 4 days ago | bounced   | 1 day ago  | opened    | 3 days ago |
      | opened    | 3 days ago | bounced   | 1 day ago  | delivered | 4 days ago | clicked   | 2 days ago |
