Feature: Nobody is tracked against their will
  Who objects to being tracked is not, in emails that were sent earlier neither. What became of the email itself is
  recorded all the same: whether it arrived, came back, was called spam, or ended a subscription.

  Background:
    Given Northwind, a recruiting team that sends by another mail system
    And an operator who watches what is passed over

  @BR-558.1 @PRE-3
  Scenario: After an objection, opens and clicks are not recorded any more, of emails sent earlier neither
    Given these emails were sent:
      | to         |
      | John Smith |
    And the provider reported:
      | to         | what happened | when        |
      | John Smith | opened        | 2 hours ago |
    When John Smith objects to being tracked
    And the provider reports:
      | to         | what happened | when       | link                  |
      | John Smith | opened        | 1 hour ago |                       |
      | John Smith | clicked       | 1 hour ago | https://jobs.test/one |
    Then the email to John Smith shows:
      | opened | 2 hours ago |
      | opens  | 1           |
      | clicks | 0           |
    And John Smith is not tracked, as they said
    And 2 reports are counted as passed over for want of consent

  @BR-558.1
  Scenario: What became of the email is recorded whatever its reader said
    Given these emails were sent:
      | to         |
      | John Smith |
      | Jane Doe   |
    And John Smith objects to being tracked
    And Jane Doe objects to being tracked
    When the provider reports:
      | to         | what happened    | when        |
      | John Smith | delivered        | 3 hours ago |
      | John Smith | reported as spam | 2 hours ago |
      | John Smith | unsubscribed     | 1 hour ago  |
      | John Smith | opened           | 1 hour ago  |
      | Jane Doe   | bounced          | 1 hour ago  |
    Then these emails show:
      | to         | delivered   | reported as spam | unsubscribed | bounced    | opens |
      | John Smith | 3 hours ago | 2 hours ago      | 1 hour ago   |            | 0     |
      | Jane Doe   |             |                  |              | 1 hour ago | 0     |

  @BR-558.1
  Scenario: Who agrees again is tracked again
    Given these emails were sent:
      | to         |
      | John Smith |
    And John Smith objects to being tracked
    And the provider reported:
      | to         | what happened | when        |
      | John Smith | opened        | 2 hours ago |
    When John Smith agrees to being tracked
    And the provider reports:
      | to         | what happened | when       |
      | John Smith | opened        | 1 hour ago |
    Then the email to John Smith shows:
      | opened | 1 hour ago |
      | opens  | 1          |

  @BR-558.1
  Scenario: A team that asks first tracks nobody who has not agreed
    Given the team decides:
      | people are asked first | yes |
    And Jane Doe agrees to being tracked
    And these emails were sent:
      | to         |
      | John Smith |
      | Jane Doe   |
    When the provider reports:
      | to         | what happened | when       |
      | John Smith | opened        | 1 hour ago |
      | Jane Doe   | opened        | 1 hour ago |
    Then these emails show:
      | to         | opens |
      | John Smith | 0     |
      | Jane Doe   | 1     |
    And John Smith is not tracked, as they never said anything
    And Jane Doe is tracked, as they said

  @BR-558.1
  Scenario: Who agrees later is tracked in emails that are sent from then on
    Given the team decides:
      | people are asked first | yes |
    And these emails were sent:
      | to         | email   |
      | John Smith | Earlier |
    When John Smith agrees to being tracked
    And these emails are registered:
      | to         | email |
      | John Smith | Later |
    And the provider reports:
      | to         | email   | what happened | when       |
      | John Smith | Earlier | opened        | 1 hour ago |
      | John Smith | Later   | opened        | 1 hour ago |
    Then these emails show:
      | to         | email   | opens |
      | John Smith | Earlier | 0     |
      | John Smith | Later   | 1     |

  @BR-558.1
  Scenario: An objection of somebody unknown is kept until they are written to
    Given John Smith objects to being tracked
    When these emails are registered:
      | to         |
      | John Smith |
    And the provider reports:
      | to         | what happened | when       |
      | John Smith | opened        | 1 hour ago |
    Then the email to John Smith shows:
      | opens | 0 |

  @BR-558.1 @EF-2
  Scenario: A report that waited for its email is recorded only if its reader allows it by then
    Given the provider reported about emails that nobody registered, with message id "early":
      | to         | what happened | when        |
      | John Smith | delivered     | 2 hours ago |
      | John Smith | opened        | 1 hour ago  |
    And John Smith objects to being tracked
    When these emails are registered:
      | to         | message id |
      | John Smith | early      |
    Then the email to John Smith shows:
      | delivered | 2 hours ago |
      | opens     | 0           |

  @BR-558.1
  Scenario: Unsubscribing alone does not end tracking
    Given these emails were sent:
      | to         |
      | John Smith |
    When the provider reports one by one:
      | to         | what happened | when        |
      | John Smith | unsubscribed  | 2 hours ago |
      | John Smith | opened        | 1 hour ago  |
    Then the email to John Smith shows:
      | unsubscribed | 2 hours ago |
      | opens        | 1           |
    And John Smith is tracked, as they never said anything

  @BR-558.1
  Scenario: Unsubscribing ends tracking where the team wants it so
    Given the team decides:
      | unsubscribing ends tracking | yes |
    And these emails were sent:
      | to         |
      | John Smith |
    When the provider reports:
      | to         | what happened | when        |
      | John Smith | opened        | 3 hours ago |
      | John Smith | unsubscribed  | 2 hours ago |
      | John Smith | opened        | 1 hour ago  |
    Then the email to John Smith shows:
      | unsubscribed | 2 hours ago |
      | opens        | 1           |
    And John Smith is not tracked, since they unsubscribed

  @PRE-1
  Scenario: A team that does not track records no opens and no clicks
    Given these emails were sent:
      | to         |
      | John Smith |
    And the team decides:
      | opens and clicks are tracked | no |
    When the provider reports:
      | to         | what happened | when        | link                  |
      | John Smith | delivered     | 2 hours ago |                       |
      | John Smith | opened        | 1 hour ago  |                       |
      | John Smith | clicked       | 1 hour ago  | https://jobs.test/one |
    Then the email to John Smith shows:
      | delivered | 2 hours ago |
      | opens     | 0           |
      | clicks    | 0           |
    And 2 reports are counted as passed over for want of tracking

  @BR-558.1
  Scenario: An objection holds from the moment it is answered, in the middle of a burst too
    Given these emails were sent:
      | to         |
      | John Smith |
    When John Smith objects to being tracked while the provider reports 1000 opens by them
    Then no open by John Smith was recorded after that

  @BR-558.1 @ROLE
  Scenario: Only those who answer for the team decide what it tracks
    Then a recruiter may not change what the team decided
    And a hiring manager may not change what the team decided
