Feature: Nothing that was acknowledged is forgotten
  What cannot be used is listed with its reason until somebody has dealt with it, and never holds up the good reports
  that came with it.

  @FLOW-3 @DB-1
  Scenario Outline: One bad report costs the good ones nothing
    Given Northwind, a recruiting team that sends by <provider>
    And these emails were sent:
      | to         |
      | John Smith |
    When the provider reports, in one delivery, an opening by John Smith and <nonsense>
    Then the email to John Smith shows:
      | opens | 1 |
    And the failed reports are:
      | state  | reason   | seen |
      | failed | <reason> | 1    |

    Examples:
      | provider            | nonsense                    | reason                             |
      | SendGrid            | one without a time          | timestamp: expected a time, got null |
      | SendGrid            | one without a recipient     | email: missing                     |
      | SendGrid            | something that is no report | item: expected an object, got text |
      | another mail system | one without a time          | timestamp: expected a time, got null |
      | another mail system | one without a recipient     | recipient: missing                 |

  @FLOW-3
  Scenario: A delivery that cannot be read at all is kept for a person to look at
    Given Northwind, a recruiting team that sends by SendGrid
    When the provider delivers what is no report at all
    Then the failed reports are:
      | state  | message id |
      | failed |            |

  @FLOW-3
  Scenario: A report of the future is not believed
    Given Northwind, a recruiting team that sends by SendGrid
    And these emails were sent:
      | to         | message id |
      | John Smith | future-1   |
    When the provider reports, in one delivery, an opening by John Smith and one of the day after tomorrow
    Then the failed reports are:
      | state  | message id |
      | failed | future-1   |
    And the email to John Smith shows:
      | opened | 1 hour ago |
      | opens  | 1          |

  @FLOW-3
  Scenario: A report that fails again stays on the list, whoever tries it
    Given Northwind, a recruiting team that sends by SendGrid
    And these emails were sent:
      | to         |
      | John Smith |
    When the provider reports, in one delivery, an opening by John Smith and one without a time
    And an administrator has the failed report tried again
    Then the outcome is "failed"
    When the operator has the failed report tried again by command
    Then the outcome is "failed"
    And the failed reports are:
      | state  | reason                               |
      | failed | timestamp: expected a time, got null |
    And the email to John Smith shows:
      | opens | 1 |

  @FLOW-3 @BR-558.5
  Scenario: The same bad report is listed once, however often the provider repeats it
    Given Northwind, a recruiting team that sends by SendGrid
    And these emails were sent:
      | to         |
      | John Smith |
    When the provider reports, in one delivery, an opening by John Smith and one without a time
    And the provider repeats all of this 3 times
    Then the failed reports are:
      | state  | seen |
      | failed | 4    |
    And the email to John Smith shows:
      | opens | 1 |

  @EF-2 @FLOW-4
  Scenario: Trying an orphan again before its email is registered leaves it waiting
    Given Northwind, a recruiting team that sends by SendGrid
    When the provider reports about emails that nobody registered, with message id "early-1":
      | to         | what happened | when        |
      | John Smith | opened        | 2 hours ago |
    And an administrator has the orphaned report tried again
    Then the outcome is "orphaned"
    And the orphaned reports are:
      | state    | message id |
      | orphaned | early-1    |

  @ROLE
  Scenario: Failed reports are an administrator's business, and the team's own
    Given Northwind, a recruiting team that sends by SendGrid
    And Southgate, a recruiting team that sends by SendGrid
    When the provider delivers what is no report at all
    Then a recruiter may not see which reports failed
    And a hiring manager may not see which reports failed
    And Northwind sees these failed reports:
      | state  |
      | failed |
    And Southgate sees these failed reports:
      | state |

  @FLOW-3 @FLOW-4
  Scenario: Everything that waits is tried again at once, and the page says what became of it
    Given Northwind, a recruiting team that sends by SendGrid
    And these emails were sent:
      | to         |
      | John Smith |
    When the provider reports, in one delivery, an opening by John Smith and one without a time
    And the provider reports about emails that nobody registered, with message id "early-1":
      | to       | what happened | when        |
      | Jane Doe | opened        | 2 hours ago |
    And an administrator has everything tried again that waits
    Then the page of reports says "2 tried again: 1 failed again, 1 still without their email."
