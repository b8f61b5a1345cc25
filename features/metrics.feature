Feature: Measure how well emails do
  Rates are percentages of the emails that were sent with tracking. Each email counts once, however often it was opened.

  @MET-1 @USE-1
  Scenario: The figures of a campaign
    Given Northwind, a recruiting team that sends by another mail system
    And these emails were sent:
      | to     | sent       | campaign |
      | Ann    | 5 days ago | Spring   |
      | Ben    | 5 days ago | Spring   |
      | Cleo   | 5 days ago | Spring   |
      | Dan    | 5 days ago | Spring   |
      | Eve    | 5 days ago | Spring   |
      | Finn   | 5 days ago | Spring   |
      | Gina   | 5 days ago | Spring   |
      | Hugo   | 5 days ago | Spring   |
    When the provider reports:
      | to   | what happened    | when          | link                   |
      | Ann  | delivered        | 5 days ago    |                        |
      | Ann  | opened           | 4 days ago    |                        |
      | Ann  | opened           | 3 days ago    |                        |
      | Ann  | clicked          | 70 hours ago  | https://jobs.test/one  |
      | Ann  | clicked          | 60 hours ago  | https://jobs.test/two  |
      | Ann  | replied          | 1 day ago     |                        |
      | Ben  | delivered        | 5 days ago    |                        |
      | Ben  | opened           | 2 days ago    |                        |
      | Cleo | delivered        | 5 days ago    |                        |
      | Cleo | opened           | 3 days ago    |                        |
      | Cleo | unsubscribed     | 3 days ago    |                        |
      | Dan  | delivered        | 5 days ago    |                        |
      | Dan  | clicked          | 50 hours ago  | https://jobs.test/one  |
      | Eve  | bounced          | 5 days ago    |                        |
      | Finn | delivered        | 5 days ago    |                        |
      | Finn | reported as spam | 4 days ago    |                        |
    Then the figures of the campaign "Spring" are:
      | sent                 | 8      |
      | delivered            | 5      |
      | opened               | 4      |
      | clicked              | 2      |
      | all clicks           | 3      |
      | replied              | 1      |
      | bounced              | 1      |
      | unsubscribed         | 1      |
      | reported as spam     | 1      |
      | open rate            | 50 %   |
      | click rate           | 25 %   |
      | click-to-open rate   | 50 %   |
      | reply rate           | 12.5 % |
      | bounce rate          | 12.5 % |
      | unsubscribe rate     | 12.5 % |
      # (1 day + 3 days + 2 days) ÷ 3; of Dan only the click is known, not when he opened.
      | average time to open | 2 days |

  @MET-1
  Scenario: Where nothing was measured there is no rate
    Given Northwind, a recruiting team that sends by SendGrid
    And these emails were sent:
      | to  | campaign | tracked |
      | Ann | Silent   | no      |
      | Ben | Unread   | yes     |
    Then the figures of the campaign "Silent" are:
      | sent                 | 0            |
      | open rate            | not measured |
      | click rate           | not measured |
      | click-to-open rate   | not measured |
      | bounce rate          | not measured |
      | unsubscribe rate     | not measured |
      | average time to open | not measured |
    And the figures of the campaign "Unread" are:
      | sent                 | 1            |
      | open rate            | 0 %          |
      | click rate           | 0 %          |
      | click-to-open rate   | not measured |
      | average time to open | not measured |

  @MET-1
  Scenario: Emails without tracking are in no rate
    Given Northwind, a recruiting team that sends by SendGrid
    And these emails were sent:
      | to   | campaign | tracked |
      | Ann  | Spring   | yes     |
      | Ben  | Spring   | yes     |
      | Cleo | Spring   | no      |
      | Dan  | Spring   | no      |
    When the provider reports:
      | to   | what happened | when        |
      | Ann  | delivered     | 2 hours ago |
      | Ann  | opened        | 1 hour ago  |
      | Cleo | delivered     | 2 hours ago |
      | Cleo | opened        | 1 hour ago  |
      | Dan  | bounced       | 2 hours ago |
    Then the figures of the campaign "Spring" are:
      | sent        | 2    |
      | delivered   | 1    |
      | opened      | 1    |
      | bounced     | 0    |
      | open rate   | 50 % |
      | bounce rate | 0 %  |

  @MET-1
  Scenario Outline: An email that the provider never sent is not sent
    Given Northwind, a recruiting team that sends by <provider>
    And these emails were sent:
      | to  | campaign |
      | Ann | Spring   |
      | Ben | Spring   |
    When the provider reports:
      | to  | what happened | when       |
      | Ann | opened        | 1 hour ago |
      | Ben | never sent    | 1 hour ago |
    Then the figures of the campaign "Spring" are:
      | sent        | 1     |
      | open rate   | 100 % |
      | bounced     | 0     |
      | bounce rate | 0 %   |

    Examples:
      | provider            |
      | SendGrid            |
      | Amazon SES          |
      | another mail system |

  @MET-1 @BR-558.7
  Scenario: What machines opened is in no rate
    Given Northwind, a recruiting team that sends by SendGrid
    And these emails were sent:
      | to  | campaign |
      | Ann | Spring   |
      | Ben | Spring   |
    When the provider reports:
      | to  | what happened       | when        |
      | Ann | opened by a machine | 2 hours ago |
      | Ben | opened              | 1 hour ago  |
    Then the figures of the campaign "Spring" are:
      | opened            | 1    |
      | open rate         | 50 % |
      | opens by machines | 1    |

  @MET-1
  Scenario: Odd shares are rounded to two decimals
    Given Northwind, a recruiting team that sends by SendGrid
    And these emails were sent:
      | to   | campaign |
      | Ann  | Spring   |
      | Ben  | Spring   |
      | Cleo | Spring   |
    When the provider reports:
      | to  | what happened | when        |
      | Ann | opened        | 2 hours ago |
      | Ben | opened        | 1 hour ago  |
    Then the figures of the campaign "Spring" are:
      | open rate | 66.67 % |

  @MET-2
  Scenario: The same emails, seen by email, candidate, campaign, job and template
    Given Northwind, a recruiting team that sends by SendGrid
    And these emails were sent:
      | to  | email    | campaign | job       | template |
      | Ann | Hello    | Spring   | Developer | Invite   |
      | Ann | Reminder | Spring   | Developer | Nudge    |
      | Ben | Hello    | Summer   | Developer | Invite   |
      | Ben | Reminder | Summer   | Designer  | Nudge    |
    When the provider reports:
      | to  | email    | what happened | when        | link                  |
      | Ann | Hello    | opened        | 3 hours ago |                       |
      | Ann | Hello    | clicked       | 2 hours ago | https://jobs.test/one |
      | Ben | Hello    | opened        | 3 hours ago |                       |
      | Ben | Reminder | bounced       | 1 hour ago  |                       |
    Then these emails show:
      | to  | email    | opens | clicks | bounce |
      | Ann | Hello    | 1     | 1      |        |
      | Ann | Reminder | 0     | 0      |        |
      | Ben | Hello    | 1     | 0      |        |
      | Ben | Reminder | 0     | 0      | hard   |
    And the engagement of Ann is:
      | emails sent | 2    |
      | opened      | 50 % |
      | clicked     | 50 % |
    And the engagement of Ben is:
      | emails sent | 2    |
      | opened      | 50 % |
      | clicked     | 0 %  |
    And the figures of the campaign "Spring" are:
      | sent        | 2    |
      | open rate   | 50 % |
      | click rate  | 50 % |
      | bounce rate | 0 %  |
    And the figures of the campaign "Summer" are:
      | sent        | 2    |
      | open rate   | 50 % |
      | click rate  | 0 %  |
      | bounce rate | 50 % |
    And the figures of the job "Developer" are:
      | sent        | 3       |
      | open rate   | 66.67 % |
      | click rate  | 33.33 % |
      | bounce rate | 0 %     |
    And the figures of the template "Invite" are:
      | sent               | 2     |
      | open rate          | 100 % |
      | click rate         | 50 %  |
      | click-to-open rate | 50 %  |
    And the figures of the template "Nudge" are:
      | sent        | 2    |
      | open rate   | 0 %  |
      | bounce rate | 50 % |

  @MET-1 @BR-558.5
  Scenario: Reports that come late or twice move the figures to the same place
    Given Northwind, a recruiting team that sends by SendGrid
    And these emails were sent:
      | to  | sent       | campaign |
      | Ann | 5 days ago | Spring   |
    And the provider reported:
      | to  | what happened | when        | link                  |
      | Ann | clicked       | 2 hours ago | https://jobs.test/one |
    Then the figures of the campaign "Spring" are:
      | opened               | 1            |
      | average time to open | not measured |
    When the provider reports:
      | to  | what happened | when       |
      | Ann | opened        | 3 days ago |
    And the provider repeats all of this 2 times
    Then the figures of the campaign "Spring" are:
      | opened               | 1      |
      | open rate            | 100 %  |
      | average time to open | 2 days |
    When the provider reports:
      | to  | what happened | when       |
      | Ann | opened        | 4 days ago |
    Then the figures of the campaign "Spring" are:
      | opened               | 1     |
      | average time to open | 1 day |
