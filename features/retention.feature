Feature: Nothing is kept longer than it may be
  An organisation keeps emails and everything about them for two years, unless it decides otherwise. Then they are gone for
  good, and with them who opened and clicked what. What a campaign, a job or a template achieved is still known.

  Background:
    Given Northwind, a recruiting team that sends by SendGrid
    And these emails were sent:
      | to         | sent        | campaign | job       | template |
      | John Smith | 50 days ago | Spring   | Developer | Invite   |
      | Jane Young | 10 days ago | Spring   | Developer | Invite   |
    And the provider reported:
      | to         | what happened       | when        | link                  |
      | John Smith | delivered           | 50 days ago |                       |
      | John Smith | opened              | 49 days ago |                       |
      | John Smith | clicked             | 49 days ago | https://jobs.test/one |
      | John Smith | opened by a machine | 48 days ago |                       |
      | Jane Young | delivered           | 10 days ago |                       |
      | Jane Young | opened              | 9 days ago  |                       |

  @BR-558.6
  Scenario: An old email is gone with all its traces, a young one is untouched
    Given the team keeps emails for 30 days
    When the operator lets go of what is beyond its time
    Then nothing is left of the email to John Smith in the API, the tables and the event store
    And John Smith is no candidate any more
    And these emails show:
      | to         | opens | delivered   |
      | Jane Young | 1     | 10 days ago |
    And the timeline of the email to Jane Young reads:
      | what happened | when        |
      | delivered     | 10 days ago |
      | open          | 9 days ago  |

  @BR-558.6
  Scenario Outline: The figures of <subject> stay, whatever is rebuilt
    Given the team keeps emails for 30 days
    When the operator lets go of what is beyond its time
    And the operator rebuilds the read models
    Then the figures of the <subject> are:
      | sent              | 2     |
      | delivered         | 2     |
      | opened            | 2     |
      | clicked           | 1     |
      | opens by machines | 1     |
      | open rate         | 100 % |
      | click rate        | 50 %  |

    Examples:
      | subject           |
      | campaign "Spring" |
      | job "Developer"   |
      | template "Invite" |

  @BR-558.6
  Scenario: Who looks first sees what would go, and nothing goes
    Given the team keeps emails for 30 days
    Then a dry run says that 1 email with 5 facts would go, sent 50 days ago
    And these emails show:
      | to         | opens | clicks |
      | John Smith | 1     | 1      |
      | Jane Young | 1     | 0      |

  @BR-558.6
  Scenario: Two years are the rule
    When the operator lets go of what is beyond its time
    Then these emails show:
      | to         | opens | clicks |
      | John Smith | 1     | 1      |
      | Jane Young | 1     | 0      |

  @BR-558.6
  Scenario: What would go at once is not taken
    Given the team keeps emails for 30 days
    Then an email that was sent 31 days ago is refused because of "sent_at"
    And an email that was sent 29 days ago is taken

  @BR-558.6
  Scenario: A report about an email that is gone brings nothing back
    Given the team keeps emails for 30 days
    When the operator lets go of what is beyond its time
    And the provider reports:
      | to         | what happened | when |
      | John Smith | opened        | now  |
    Then nothing is left of the email to John Smith in the API, the tables and the event store
    And the figures of the campaign "Spring" are:
      | opened | 2 |
