Feature: Know which candidates are interested
  The engagement score, 0 to 100, adds points for recent activity, for the share of emails that were opened, clicked and
  answered, over the tracked emails of the last 90 days. Hot candidates (75 and more) come first, warm ones (40 to 74)
  next.

  @SCORE @BR-558.4
  Scenario Outline: Recent activity gives up to 30 points
    Given Northwind, a recruiting team that sends by SendGrid
    And these emails were sent:
      | to         | sent        |
      | John Smith | 60 days ago |
    When the provider reports:
      | to         | what happened | when   |
      | John Smith | opened        | <when> |
    Then the engagement of John Smith is:
      | points for recency | <points> |
      | points for opens   | 30       |
      | points for clicks  | 0        |
      | score              | <score>  |
      | level              | <level>  |

    Examples:
      | when         | points | score | level |
      | 23 hours ago | 30     | 60    | warm  |
      | 25 hours ago | 20     | 50    | warm  |
      | 6 days ago   | 20     | 50    | warm  |
      | 8 days ago   | 10     | 40    | warm  |
      | 29 days ago  | 10     | 40    | warm  |
      | 31 days ago  | 0      | 30    | cold  |

  @SCORE @BR-558.4 @USE-2
  Scenario: Four emails, three opened, two clicked
    Given Northwind, a recruiting team that sends by SendGrid
    And these emails were sent:
      | to         | email     |
      | John Smith | Received  |
      | John Smith | Invite    |
      | John Smith | Reminder  |
      | John Smith | Follow-up |
    When the provider reports:
      | to         | email    | what happened | when        | link                      |
      | John Smith | Received | opened        | 3 days ago  |                           |
      | John Smith | Reminder | opened        | 2 days ago  |                           |
      | John Smith | Reminder | clicked       | 40 hours ago | https://jobs.test/times  |
      | John Smith | Invite   | opened        | 3 hours ago |                           |
      | John Smith | Invite   | clicked       | 2 hours ago | https://jobs.test/times   |
    Then the engagement of John Smith is:
      | candidate          | John Smith |
      | emails sent        | 4          |
      | emails opened      | 3          |
      | emails clicked     | 2          |
      | opened             | 75 %       |
      | clicked            | 50 %       |
      | points for recency | 30         |
      | points for opens   | 23         |
      | points for clicks  | 20         |
      | points for replies | 0          |
      | score              | 73         |
      | level              | warm       |
    And the recent activity of John Smith reads:
      | email    | what happened | when         |
      | Invite   | click         | 2 hours ago  |
      | Invite   | open          | 3 hours ago  |
      | Reminder | click         | 40 hours ago |
      | Reminder | open          | 2 days ago   |
      | Received | open          | 3 days ago   |

  @SCORE @BR-558.4
  Scenario: An answer counts, and nobody gets more than 100 points
    Given Northwind, a recruiting team that sends by another mail system
    And these emails were sent:
      | to         | email  |
      | John Smith | Invite |
      | Jane Doe   | Invite |
      | Jane Doe   | Again  |
    When the provider reports:
      | to         | email  | what happened | when         | link                    |
      | John Smith | Invite | clicked       | 5 hours ago  | https://jobs.test/times |
      | John Smith | Invite | replied       | 2 hours ago  |                         |
      | Jane Doe   | Again  | replied       | 26 hours ago |                         |
    Then the engagement of John Smith is:
      | points for recency | 30  |
      | points for opens   | 30  |
      | points for clicks  | 40  |
      | points for replies | 20  |
      | score              | 100 |
      | level              | hot |
    And the engagement of Jane Doe is:
      | points for recency | 20   |
      | points for opens   | 0    |
      | points for clicks  | 0    |
      | points for replies | 10   |
      | score              | 30   |
      | level              | cold |

  @SCORE @BR-558.4
  Scenario Outline: Only what a candidate does is recent activity
    Given Northwind, a recruiting team that sends by SendGrid
    And these emails were sent:
      | to         |
      | John Smith |
    When the provider reports:
      | to         | what happened   | when       |
      | John Smith | <what happened> | 1 hour ago |
    Then the engagement of John Smith is:
      | points for recency | 0    |
      | score              | 0    |
      | level              | cold |

    Examples:
      | what happened       |
      | delivered           |
      | bounced for now     |
      | opened by a machine |
      | unsubscribed        |

  @SCORE @BR-558.4
  Scenario Outline: Who cannot or does not want to be reached is never hot, and it says why
    Given Northwind, a recruiting team that sends by SendGrid
    And these emails were sent:
      | to         |
      | John Smith |
    When the provider reports:
      | to         | what happened   | when        | link                    |
      | John Smith | opened          | 3 hours ago |                         |
      | John Smith | clicked         | 2 hours ago | https://jobs.test/times |
      | John Smith | <what happened> | 1 hour ago  |                         |
    Then the engagement of John Smith is:
      | score   | 100       |
      | level   | warm      |
      | because | <because> |
    And the hot candidates are:
      | candidate |

    Examples:
      | what happened | because      |
      | bounced       | hard_bounced |
      | unsubscribed  | unsubscribed |

  @SCORE @BR-558.4
  Scenario: Where nothing was measured there is no score
    Given Northwind, a recruiting team that sends by SendGrid
    And these emails were sent:
      | to         | sent        | tracked |
      | John Smith | 91 days ago | yes     |
      | Jane Doe   | 5 days ago  | no      |
      | Ann        | 89 days ago | yes     |
    When the provider reports:
      | to         | what happened | when       |
      | John Smith | opened        | 1 hour ago |
    Then the engagement of John Smith is:
      | score       | not measured |
      | level       |              |
      | emails sent | 0            |
      | opened      | not measured |
    And the engagement of Jane Doe is:
      | score | not measured |
    And the engagement of Ann is:
      | score | 0    |
      | level | cold |

  @SCORE
  Scenario: Candidates rank by score, the unmeasured last
    Given Northwind, a recruiting team that sends by SendGrid
    And these emails were sent:
      | to   | tracked |
      | Ann  | yes     |
      | Ben  | yes     |
      | Cleo | yes     |
      | Dan  | no      |
    When the provider reports:
      | to   | what happened | when         | link                    |
      | Cleo | opened        | 3 hours ago  |                         |
      | Cleo | clicked       | 2 hours ago  | https://jobs.test/times |
      | Ann  | opened        | 50 hours ago |                         |
    Then the candidates rank:
      | candidate | score        | level |
      | Cleo      | 100          | hot   |
      | Ann       | 50           | warm  |
      | Ben       | 0            | cold  |
      | Dan       | not measured |       |
    And the warm candidates are:
      | candidate | score |
      | Ann       | 50    |

  @SCORE @BR-558.5
  Scenario: Repeated reports make nobody more interesting
    Given Northwind, a recruiting team that sends by SendGrid
    And these emails were sent:
      | to         | email  |
      | John Smith | Invite |
      | John Smith | Again  |
    And the provider reported:
      | to         | email  | what happened | when        |
      | John Smith | Invite | opened        | 2 hours ago |
    When the provider repeats all of this 5 times
    Then the engagement of John Smith is:
      | score | 45 |
    And the candidates rank:
      | candidate  | score |
      | John Smith | 45    |
