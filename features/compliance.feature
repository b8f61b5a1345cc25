Feature: Show who does not want our emails, and whether they arrive
  A compliance officer proves that unsubscribes and spam reports are known and heeded. A recruiter sees whether emails
  arrive, and whom to ask again.

  Background:
    Given Northwind, a recruiting team that sends by SendGrid
    And these emails were sent:
      | to   | email  | sent       | campaign | job       | hiring manager |
      | Ann  | Hello  | 5 days ago | Spring   | Developer | h-mary         |
      | Ben  | Hello  | 5 days ago | Spring   | Designer  | h-otto         |
      | Cleo | Hello  | 5 days ago | Spring   | Developer | h-mary         |
      | Dan  | Hello  | 5 days ago | Spring   | Developer | h-mary         |
      | Eve  | Hello  | 5 days ago | Spring   | Designer  | h-otto         |
      | =1+1 | Hello  | 5 days ago | Summer   | Designer  | h-otto         |
    And the provider reported:
      | to   | what happened    | when        | link                  |
      | Ann  | delivered        | 5 days ago  |                       |
      | Ben  | delivered        | 5 days ago  |                       |
      | Cleo | delivered        | 5 days ago  |                       |
      | Eve  | delivered        | 5 days ago  |                       |
      | =1+1 | delivered        | 5 days ago  |                       |
      | Ann  | unsubscribed     | 3 days ago  |                       |
      | Ben  | reported as spam | 2 days ago  |                       |
      | Dan  | bounced          | 4 days ago  |                       |
      | =1+1 | unsubscribed     | 1 day ago   |                       |

  @USE-7
  Scenario: Who unsubscribed, when, and from which email
    Then the unsubscribes are:
      | to   | when       | email |
      | =1+1 | 1 day ago  | Hello |
      | Ann  | 3 days ago | Hello |
    And the complaints about spam are:
      | to  | when       | email |
      | Ben | 2 days ago | Hello |

  @USE-7
  Scenario: A period is asked for
    Then the unsubscribes from 4 days ago to 2 days ago are:
      | to  |
      | Ann |

  @USE-7
  Scenario: The list for the file, which no spreadsheet takes for a formula
    Then the unsubscribes as CSV are:
      | recipient_name | recipient_email  |
      | '=1+1          | '=1+1@example.com |
      | Ann            | ann@example.com  |

  @USE-7 @ROLE
  Scenario: A hiring manager sees those of their jobs
    Then h-mary, a hiring manager, is shown the unsubscribes of:
      | to  |
      | Ann |

  @USE-4
  Scenario: Whether emails arrive, by the domain they go to
    Then the deliverability is:
      | domain      | sent | delivered | bounced | hard | reported as spam | bounce rate | spam rate |
      | example.com | 6    | 5         | 1       | 1    | 1                | 16.67 %     | 20 %      |
    And the reasons of bounces are:
      | kind | reason                 | emails |
      | hard | mailbox_does_not_exist | 1      |

  @USE-6
  Scenario: Whom to ask again: who got an email, and did nothing with it
    When the provider reports:
      | to  | what happened | when       | link                  |
      | Eve | clicked       | 2 days ago | https://jobs.test/one |
    Then the contacts of the campaign "Spring" who did nothing are:
      | contact | name |
      | c-cleo  | Cleo |
