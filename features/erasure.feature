Feature: Erase somebody who asks for it
  Whoever wants to be forgotten is: nothing that is kept says any more who they were, where they were or what they read
  their mail with. What was counted stays counted, so that a campaign does not look different for it.

  Background:
    Given Northwind, a recruiting team that sends by another mail system
    And these emails were sent:
      | to         | email         | sent       | campaign | message id |
      | John Smith | Meet the team | 5 days ago | Spring   | for-john-1 |
      | Mary Major | Meet the team | 5 days ago | Spring   | for-mary-1 |
    And the provider reported:
      | to         | what happened | when       | link                  |
      | John Smith | delivered     | 5 days ago |                       |
      | John Smith | opened        | 4 days ago |                       |
      | John Smith | clicked       | 3 days ago | https://jobs.test/one |
      | Mary Major | delivered     | 5 days ago |                       |
      | Mary Major | opened        | 2 days ago |                       |

  @SEC-6
  Scenario: Figures stay, names go, and others are left as they are
    When John Smith is erased
    Then the figures of the campaign "Spring" are:
      | sent       | 2    |
      | delivered  | 2    |
      | opened     | 2    |
      | clicked    | 1    |
      | all clicks | 1    |
      | open rate  | 100 % |
    And the email that was sent to John Smith tells nobody's name, address or subject
    And its timeline still reads:
      | what happened | when       |
      | delivered     | 5 days ago |
      | open          | 4 days ago |
      | click         | 3 days ago |
    And its timeline tells of no address, no mail program and no device
    And the candidate who was John Smith has no name, and engagement as before
    And the email to Mary Major shows:
      | to     | Mary Major    |
      | email  | Meet the team |
      | opened | 2 days ago    |

  @SEC-6
  Scenario: Rebuilt from the events, everything is the same
    When John Smith is erased
    And the operator rebuilds the read models
    Then the figures of the campaign "Spring" are:
      | sent       | 2    |
      | opened     | 2    |
      | clicked    | 1    |
      | all clicks | 1    |
    And the email that was sent to John Smith tells nobody's name, address or subject
    And its timeline still reads:
      | what happened | when       |
      | delivered     | 5 days ago |
      | open          | 4 days ago |
      | click         | 3 days ago |
    And its timeline tells of no address, no mail program and no device

  @SEC-6
  Scenario: What is reported afterwards counts, without details
    When John Smith is erased
    And the provider reports:
      | to         | what happened | when        | link                  |
      | John Smith | clicked       | 2 hours ago | https://jobs.test/two |
    Then the figures of the campaign "Spring" are:
      | clicked    | 1 |
      | all clicks | 2 |
    And its timeline tells of no address, no mail program and no device

  @SEC-6
  Scenario: Whoever is written to again begins anew
    When John Smith is erased
    And these emails are registered:
      | to         | email            | sent        | message id |
      | John Smith | We miss you      | 1 hour ago  | for-john-2 |
    Then the email "We miss you" to John Smith tells his name again
    And the email that was sent to John Smith tells nobody's name, address or subject

  @SEC-6
  Scenario: Asking twice, or for somebody unknown, is answered in the same way
    When John Smith is erased
    Then John Smith can be erased again
    And Nobody Known can be erased as well

  @SEC-6 @ROLE
  Scenario: Only the team's own software and its admins erase
    Then erasing John Smith is refused to a recruiter
    And erasing John Smith is refused to a hiring manager
    And erasing John Smith is granted to an admin
