Feature: A candidate's page tells how interested they are, and on what grounds

  Background:
    Given Northwind, a recruiting team that sends by SendGrid
    And these emails were sent:
      | to         | email    | job       | hiring manager |
      | John Smith | Invite   | Developer | Hanna          |
      | John Smith | Reminder | Designer  | Omar           |
    When the provider reports:
      | to         | email    | what happened | when         | link                  |
      | John Smith | Invite   | opened        | 3 hours ago  |                       |
      | John Smith | Reminder | opened        | 52 hours ago |                       |
      | John Smith | Reminder | clicked       | 50 hours ago | https://jobs.test/one |

  @AF-2 @UI-2
  Scenario: Badge, score with its parts, figures
    Then the page of John Smith shows a recruiter:
      | badge   | Hot                                               |
      | score   | 80                                                |
      | Recency | 30 of 30                                          |
      | Opens   | 30 of 30                                          |
      | Clicks  | 20 of 40                                          |
      | Replies | 0 of 20                                           |
      | figures | 2 sent · 2 opened (100.0 %) · 1 clicked (50.0 %)  |

  @AF-2 @UI-2
  Scenario: What they did, the latest first
    Then the page of John Smith lists, the latest first:
      | what    | email    |
      | Opened  | Invite   |
      | Clicked | Reminder |
      | Opened  | Reminder |

  @AF-2 @BR-558.1
  Scenario: Who objected to being tracked
    When John Smith objects to being tracked
    Then the page of John Smith says that opens and clicks are not recorded

  @AF-2 @ROLE
  Scenario: A hiring manager sees what concerns their jobs
    Then the page of John Smith shows Hanna, a hiring manager:
      | badge   | Warm                                             |
      | figures | 1 sent · 1 opened (100.0 %) · 0 clicked (0.0 %)  |
    And the page of John Smith does not say "Reminder" to Hanna, a hiring manager
