Feature: Tables that analysts can trust
  Analysts query the tables of the use case and of the tracking page with their own tools. They find the words that
  those pages define, and numbers that agree with what recruiters see.

  @DB-2
  Scenario: What happened, in the words of both tables
    Given Northwind, a recruiting team that sends by another mail system
    And these emails were sent:
      | to         |
      | John Smith |
    When the provider reports:
      | to         | what happened    | when        | link                  |
      | John Smith | delivered        | 8 hours ago |                       |
      | John Smith | opened           | 7 hours ago |                       |
      | John Smith | clicked          | 6 hours ago | https://jobs.test/one |
      | John Smith | replied          | 5 hours ago |                       |
      | John Smith | unsubscribed     | 4 hours ago |                       |
      | John Smith | reported as spam | 3 hours ago |                       |
      | John Smith | bounced          | 2 hours ago |                       |
    Then the table "engagement_tracking" says of the email to John Smith:
      | what happened | when        | link                  |
      | delivered     | 8 hours ago |                       |
      | opened        | 7 hours ago |                       |
      | clicked       | 6 hours ago | https://jobs.test/one |
      | replied       | 5 hours ago |                       |
      | unsubscribed  | 4 hours ago |                       |
      | spam_reported | 3 hours ago |                       |
      | bounced       | 2 hours ago |                       |
    And the table "email_engagement_events" says of the email to John Smith:
      | what happened | when        | link                  |
      | delivered     | 8 hours ago |                       |
      | open          | 7 hours ago |                       |
      | click         | 6 hours ago | https://jobs.test/one |
      | reply         | 5 hours ago |                       |
      | unsubscribe   | 4 hours ago |                       |
      | spam          | 3 hours ago |                       |
      | bounce        | 2 hours ago |                       |
    And the table "email_logs" says of the email to John Smith:
      | delivered    | 8 hours ago |
      | opened       | 7 hours ago |
      | opens        | 1           |
      | clicked      | 6 hours ago |
      | clicks       | 1           |
      | bounced      | 2 hours ago |
      | unsubscribed | 4 hours ago |

  @DB-2
  Scenario Outline: The details of a bounce
    Given Northwind, a recruiting team that sends by <provider>
    And these emails were sent:
      | to         |
      | John Smith |
    When the provider reports:
      | to         | what happened | when        |
      | John Smith | bounced       | 2 hours ago |
    Then the details of "bounced" for John Smith are:
      | bounce_type   | hard                   |
      | bounce_reason | mailbox_does_not_exist |

    Examples:
      | provider            |
      | SendGrid            |
      | Amazon SES          |
      | another mail system |

  @DB-2
  Scenario: The details of an opening
    Given Northwind, a recruiting team that sends by SendGrid
    And these emails were sent:
      | to         |
      | John Smith |
    When the provider reports:
      | to         | what happened | when        | device |
      | John Smith | opened        | 2 hours ago | phone  |
    Then the details of "opened" for John Smith are:
      | open_count  | 1      |
      | device_type | mobile |

  @DB-2 @BR-558.7
  Scenario: What machines did has a table of its own
    Given Northwind, a recruiting team that sends by SendGrid
    And these emails were sent:
      | to         |
      | John Smith |
    When the provider reports:
      | to         | what happened       | when        |
      | John Smith | opened by a machine | 2 hours ago |
    Then the table "automated_engagement" says of the email to John Smith:
      | what happened | when        |
      | opened        | 2 hours ago |
    And the table "engagement_tracking" says nothing of the email to John Smith

  @DB-2 @MET-1 @AF-4 @SCORE
  Scenario: The example queries, run unchanged, agree with what recruiters see
    Given Northwind, a recruiting team that sends by SendGrid
    And Southgate, a recruiting team that sends by SendGrid
    And these emails were sent:
      | to   | campaign |
      | Ann  | Spring   |
      | Ben  | Spring   |
      | Cleo | Spring   |
    And Southgate sent these emails:
      | to  | campaign |
      | Ann | Spring   |
    When the provider of Southgate reports:
      | to  | what happened | when        | link                  |
      | Ann | clicked       | 2 hours ago | https://jobs.test/one |
    And the provider reports:
      | to   | what happened | when         | link                    |
      | Ann  | delivered     | 5 days ago   |                         |
      | Ben  | delivered     | 5 days ago   |                         |
      | Cleo | delivered     | 5 days ago   |                         |
      | Ann  | opened        | 3 days ago   |                         |
      | Ann  | opened        | 20 hours ago |                         |
      | Ann  | clicked       | 19 hours ago | https://jobs.test/one   |
      | Ann  | clicked       | 18 hours ago | https://jobs.test/one   |
      | Ann  | clicked       | 17 hours ago | https://jobs.test/one   |
      | Ann  | clicked       | 16 hours ago | https://jobs.test/two   |
      | Ben  | clicked       | 10 hours ago | https://jobs.test/one   |
    And the provider repeats all of this 2 times
    Then the example query for the figures of the campaign "Spring" answers as the recruiter sees it:
      | sent         | 3     |
      | opened       | 2     |
      | clicked      | 2     |
      | total clicks | 5     |
      | open rate    | 66.67 |
      | click rate   | 66.67 |
    And the example query for the most clicked links answers as the recruiter sees it for "Spring":
      | link                  | clicks | people |
      | https://jobs.test/one | 4      | 2      |
      | https://jobs.test/two | 1      | 1      |
    And the example query for highly engaged contacts answers as the recruiter sees it:
      | contact | opens | clicks |
      | c-ann   | 2     | 4      |
    # Ben's opening is implied by his click: both count it. Cleo's delivery is no activity of hers, see the score's rules.
    And the example query for the engagement score answers as the recruiter sees it:
      | candidate | score |
      | Ann       | 100   |
      | Ben       | 100   |
