Feature: The dashboard tells whether our mail works
  Tiles, a chart and tables about the tracked emails of a period, whenever they were opened since; machines are left out.
  Everything that is chosen is in the address of the page.

  Background:
    Given Northwind, a recruiting team that sends by SendGrid
    And these emails were sent:
      | to   | email  | job       | hiring manager | template | campaign |
      | Ann  | Invite | Developer | Hanna          | Invite   | Spring   |
      | Ben  | Invite | Developer | Hanna          | Invite   | Spring   |
      | Cleo | Offer  | Designer  | Omar           | Offer    | Autumn   |
      | Dan  | Offer  | Designer  | Omar           | Offer    | Autumn   |
    When the provider reports:
      | to   | what happened | when        | link                  |
      | Ann  | delivered     | 4 days ago  |                       |
      | Ann  | opened        | 3 hours ago |                       |
      | Ann  | clicked       | 2 hours ago | https://jobs.test/one |
      | Ben  | opened        | 3 hours ago |                       |
      | Cleo | opened        | 3 hours ago |                       |

  @AF-1 @UI-1
  Scenario: A recruiter sees how the mail of the last 30 days did
    Then the dashboard shows a recruiter:
      | Open rate          | 75.0 % |
      | Click rate         | 25.0 % |
      | Click-to-open rate | 33.3 % |
      | Reply rate         | 0.0 %  |
      | Bounce rate        | 0.0 %  |
    And its templates are:
      | template | sent | opens | clicks | click rate |
      | Invite   | 2    | 2     | 1      | 50.0 %     |
      | Offer    | 2    | 1     | 0      | 0.0 %      |

  @AF-1 @UI-1
  Scenario: A filter leaves the rest out, and is in the address
    Then the dashboard of the template "Offer" shows a recruiter:
      | Open rate  | 50.0 % |
      | Click rate | 0.0 %  |

  @AF-1 @UI-1
  Scenario: A period in which nothing was sent says so
    Then the dashboard of the year 2020 says "Nothing was sent in these days"

  @AF-4 @UI-1
  Scenario: A campaign shows how far its emails came
    Then the page of the campaign "Spring" shows a recruiter:
      | Sent      | 2 |
      | Delivered | 1 |
      | Opened    | 2 |
      | Clicked   | 1 |
      | Replied   | 0 |

  @AF-1 @ROLE
  Scenario: A hiring manager sees the figures of their jobs
    Then the dashboard shows Hanna, a hiring manager:
      | Open rate  | 100.0 % |
      | Click rate | 50.0 %  |
    And its templates are:
      | template | sent | opens | clicks | click rate |
      | Invite   | 2    | 2     | 1      | 50.0 %     |

  @AF-1 @UI-1
  Scenario: What happened in the last days counts earlier emails too
    Given these emails were sent:
      | to  | email    | job       | hiring manager | template | campaign | sent        |
      | Eve | Reminder | Developer | Hanna          | Reminder | Winter   | 40 days ago |
    When the provider reports:
      | to  | what happened | when        |
      | Eve | opened        | 2 hours ago |
    Then the dashboard shows a recruiter:
      | Open rate | 75.0 % |
    And the dashboard of what happened in the last 30 days shows a recruiter:
      | Open rate          | 100.0 % |
      | Click rate         | 25.0 %  |
      | Click-to-open rate | 25.0 %  |

  @AF-1 @BR-558.7
  Scenario: Machines count on the dashboard only if somebody asks for them
    When the provider reports:
      | to  | what happened | when           | program               | from |
      | Dan | opened        | 58 minutes ago | Apple Mail's prefetch | home |
    Then the dashboard shows a recruiter:
      | Open rate | 75.0 % |
    And the dashboard with machines shows a recruiter:
      | Open rate | 100.0 % |

  @UI-1
  Scenario: The dashboard says when the last report came
    Then the dashboard says "Last report received just now" to a recruiter
