Feature: See which links candidates follow
  Recruiters learn which link of an email works, by address and by its place in the email.

  @AF-4 @BR-558.3 @USE-3
  Scenario Outline: Clicks are counted per link, people once
    Given Northwind, a recruiting team that sends by <provider>
    And these emails were sent:
      | to         | campaign |
      | John Smith | Spring   |
      | Jane Doe   | Spring   |
    When the provider reports:
      | to         | what happened | when         | link                      |
      | John Smith | clicked       | 50 hours ago | https://jobs.test/opening |
      | John Smith | clicked       | 40 hours ago | https://jobs.test/opening |
      | Jane Doe   | clicked       | 30 hours ago | https://jobs.test/opening |
      | Jane Doe   | clicked       | 20 hours ago | https://jobs.test/team    |
    Then the links of the campaign "Spring" are:
      | link                      | clicks | people |
      | https://jobs.test/opening | 3      | 2      |
      | https://jobs.test/team    | 1      | 1      |

    Examples:
      | provider            |
      | SendGrid            |
      | Amazon SES          |
      | another mail system |

  @AF-4
  Scenario: The same address twice in one email is two links
    Given Northwind, a recruiting team that sends by SendGrid
    And these emails were sent:
      | to         | campaign |
      | John Smith | Spring   |
      | Jane Doe   | Spring   |
    When the provider reports:
      | to         | what happened | when         | link                      | position |
      | John Smith | clicked       | 50 hours ago | https://jobs.test/opening | 0        |
      | John Smith | clicked       | 40 hours ago | https://jobs.test/opening | 3        |
      | Jane Doe   | clicked       | 30 hours ago | https://jobs.test/opening | 3        |
    Then the links of the campaign "Spring", by position, are:
      | link                      | position | clicks | people |
      | https://jobs.test/opening | 3        | 2      | 2      |
      | https://jobs.test/opening | 0        | 1      | 1      |
    And the links of the campaign "Spring" are:
      | link                      | clicks | people |
      | https://jobs.test/opening | 3      | 2      |
    And these emails show:
      | to         | clicks | different links |
      | John Smith | 2      | 2               |
      | Jane Doe   | 1      | 1               |

  @AF-4 @DB-2
  Scenario: A click keeps what is known about its link and the device
    Given Northwind, a recruiting team that sends by another mail system
    And these emails were sent:
      | to         | campaign |
      | John Smith | Spring   |
    When the provider reports:
      | to         | what happened | when        | link                      | position | text             | device |
      | John Smith | clicked       | 2 hours ago | https://jobs.test/opening | header   | View Job Opening | phone  |
    Then the details of "clicked" for John Smith are:
      | link_text     | View Job Opening |
      | link_position | header           |
      | device_type   | mobile           |
    And the links of the campaign "Spring", by position, are:
      | link                      | position | text             | clicks | people |
      | https://jobs.test/opening | header   | View Job Opening | 1      | 1      |

  @BR-558.3
  Scenario Outline: Each different link of an email counts once, every click is kept
    Given Northwind, a recruiting team that sends by <provider>
    And these emails were sent:
      | to         |
      | John Smith |
    When the provider reports:
      | to         | what happened | when         | link                      |
      | John Smith | clicked       | 60 hours ago | https://jobs.test/opening |
      | John Smith | clicked       | 50 hours ago | https://jobs.test/opening |
      | John Smith | clicked       | 40 hours ago | https://jobs.test/team    |
      | John Smith | clicked       | 30 hours ago | https://jobs.test/opening |
    Then the email to John Smith shows:
      | clicked         | 60 hours ago |
      | clicks          | 4            |
      | different links | 2            |

    Examples:
      | provider            |
      | SendGrid            |
      | Amazon SES          |
      | another mail system |

  @BR-558.3
  Scenario: A link known from an earlier delivery is not a different one
    Given Northwind, a recruiting team that sends by SendGrid
    And these emails were sent:
      | to         |
      | John Smith |
    And the provider reported:
      | to         | what happened | when         | link                      |
      | John Smith | clicked       | 50 hours ago | https://jobs.test/opening |
    When the provider reports:
      | to         | what happened | when         | link                      |
      | John Smith | clicked       | 40 hours ago | https://jobs.test/opening |
      | John Smith | clicked       | 60 hours ago | https://jobs.test/team    |
    Then the email to John Smith shows:
      | clicked         | 60 hours ago |
      | clicks          | 3            |
      | different links | 2            |

  @AF-4 @MET-2
  Scenario: Links of a job and of a template
    Given Northwind, a recruiting team that sends by SendGrid
    And these emails were sent:
      | to         | job       | template  |
      | John Smith | Developer | Invite    |
      | Jane Doe   | Designer  | Invite    |
    When the provider reports:
      | to         | what happened | when         | link                      |
      | John Smith | clicked       | 50 hours ago | https://jobs.test/opening |
      | Jane Doe   | clicked       | 40 hours ago | https://jobs.test/opening |
    Then the links of the job "Developer" are:
      | link                      | clicks | people |
      | https://jobs.test/opening | 1      | 1      |
    And the links of the template "Invite" are:
      | link                      | clicks | people |
      | https://jobs.test/opening | 2      | 2      |

  @USE-5 @AF-4 @ROLE
  Scenario: The links that one candidate follows, over all their emails
    Given Northwind, a recruiting team that sends by SendGrid
    And these emails were sent:
      | to         | email    | job       | hiring manager |
      | John Smith | Invite   | Developer | h-mary         |
      | John Smith | Reminder | Designer  | h-otto         |
      | Jane Doe   | Invite   | Developer | h-mary         |
    When the provider reports:
      | to         | email    | what happened | when         | link                      | position |
      | John Smith | Invite   | clicked       | 70 hours ago | https://jobs.test/opening | 0        |
      | John Smith | Invite   | clicked       | 60 hours ago | https://jobs.test/opening | 0        |
      | John Smith | Reminder | clicked       | 50 hours ago | https://jobs.test/opening | 0        |
      | John Smith | Invite   | clicked       | 40 hours ago | https://jobs.test/opening | 3        |
      | John Smith | Reminder | clicked       | 30 hours ago | https://jobs.test/salary  | 1        |
      | John Smith | Reminder | clicked       | 20 hours ago | https://jobs.test/salary  | 1        |
      | Jane Doe   | Invite   | clicked       | 10 hours ago | https://jobs.test/team    | 2        |
    Then the links that John Smith followed are:
      | link                      | position | clicks | emails | first        |
      | https://jobs.test/opening | 0        | 3      | 2      | 70 hours ago |
      | https://jobs.test/salary  | 1        | 2      | 1      | 30 hours ago |
      | https://jobs.test/opening | 3        | 1      | 1      | 40 hours ago |
    And for h-otto, a hiring manager, the links that John Smith followed are:
      | link                      | position | clicks | emails | first        |
      | https://jobs.test/salary  | 1        | 2      | 1      | 30 hours ago |
      | https://jobs.test/opening | 0        | 1      | 1      | 50 hours ago |

  @USE-6
  Scenario: Contacts who clicked three times and more are worth a follow-up, the most clicks first
    Given Northwind, a recruiting team that sends by SendGrid
    And these emails were sent:
      | to   | email  | campaign |
      | Ann  | Invite | Spring   |
      | Ben  | Invite | Spring   |
      | Ben  | Again  | Summer   |
      | Cleo | Invite | Spring   |
    When the provider reports:
      | to   | email  | what happened | when         | link                  |
      | Ann  | Invite | opened        | 70 hours ago |                       |
      | Ann  | Invite | clicked       | 60 hours ago | https://jobs.test/one |
      | Ann  | Invite | clicked       | 50 hours ago | https://jobs.test/one |
      | Ann  | Invite | clicked       | 40 hours ago | https://jobs.test/two |
      | Ben  | Invite | clicked       | 60 hours ago | https://jobs.test/one |
      | Ben  | Invite | clicked       | 50 hours ago | https://jobs.test/two |
      | Ben  | Again  | clicked       | 40 hours ago | https://jobs.test/one |
      | Ben  | Again  | clicked       | 30 hours ago | https://jobs.test/two |
      | Cleo | Invite | clicked       | 20 hours ago | https://jobs.test/one |
      | Cleo | Invite | clicked       | 10 hours ago | https://jobs.test/two |
    Then the highly engaged contacts are:
      | contact | opens | clicks |
      | c-ben   | 2     | 4      |
      | c-ann   | 1     | 3      |
