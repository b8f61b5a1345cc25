Feature: Count without watching
  In privacy mode a team knows how often its emails are opened and which links are followed, and nothing is stored of
  who did it, where, with what, and when.

  Background:
    Given Northwind, a recruiting team that sends by SendGrid

  @BR-558.8
  Scenario: Counts stay; who, where, with what and when are stored nowhere
    Given the team decides:
      | privacy mode | yes |
    And these emails were sent:
      | to         | template |
      | John Smith | Invite   |
    When the provider reports that John Smith opened and clicked at a telltale address with a telltale program
    Then the email to John Smith shows:
      | opens           | 1 |
      | clicks          | 1 |
      | different links | 1 |
      | opened          |   |
      | clicked         |   |
    And the timeline of the email to John Smith is empty
    And the links of the template "Invite" are:
      | link                  | clicks | people |
      | https://jobs.test/one | 1      | 1      |
    And no link is told that John Smith followed
    And the figures of the template "Invite" are:
      | opened  | 1 |
      | clicked | 1 |
    And nothing that is stored or logged tells the address or the program
    And nothing that is kept of the opens and clicks of John Smith is sealed away

  @BR-558.8
  Scenario: Without privacy mode the same search finds them
    Given these emails were sent:
      | to         |
      | John Smith |
    When the provider reports that John Smith opened and clicked at a telltale address with a telltale program
    Then what is stored tells the address and the program

  @BR-558.8 @BR-558.7
  Scenario: Machines are told from people before anything is forgotten
    Given the team decides:
      | privacy mode | yes |
    And these emails were sent:
      | to         |
      | John Smith |
    When the provider reports:
      | to         | what happened       | when        | link                  | device                 |
      | John Smith | opened by a machine | 3 hours ago |                       |                        |
      | John Smith | clicked             | 2 hours ago | https://jobs.test/one | python-requests/2.32.3 |
      | John Smith | opened              | 1 hour ago  |                       | phone                  |
    Then the email to John Smith shows:
      | opens              | 1 |
      | opens by machines  | 1 |
      | clicks             | 0 |
      | clicks by machines | 1 |

  @BR-558.8 @BR-558.5
  Scenario: A repeated report is still recognised
    Given the team decides:
      | privacy mode | yes |
    And these emails were sent:
      | to         |
      | John Smith |
    When the provider reports:
      | to         | what happened | when       |
      | John Smith | opened        | 1 hour ago |
    And the provider repeats all of this 5 times
    Then the email to John Smith shows:
      | opens | 1 |

  @BR-558.8 @EF-2
  Scenario: A report that waits for its email tells nothing either
    Given the team decides:
      | privacy mode | yes |
    And the provider reported about emails that nobody registered, with message id "early":
      | to         | what happened | when       | link                  |
      | John Smith | clicked       | 1 hour ago | https://jobs.test/one |
    When the team decides:
      | privacy mode | no |
    And these emails are registered:
      | to         | message id |
      | John Smith | early      |
    Then the email to John Smith shows:
      | clicks  | 1 |
      | clicked |   |
    And the timeline of the email to John Smith is empty
