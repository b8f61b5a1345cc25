Feature: Receive the reports of mail providers
  A mail provider tells us what became of each email. We take a report in only if we know that it is the provider's own,
  and we acknowledge it only when it can no longer be lost. Reading the report, finding its email and recording it
  follow within seconds.

  (Steps 7 and 8 of the basic flow, preferences and notifications, have features of their own.)

  @PRE-4 @FLOW-1 @FLOW-2 @FLOW-9 @SEC-1
  Scenario Outline: A report that the provider signed is acknowledged and recorded
    Given Northwind, a recruiting team that sends by <provider>
    And these emails were sent:
      | to         |
      | John Smith |
    When the provider reports:
      | to         | what happened | when        |
      | John Smith | opened        | 2 hours ago |
    Then every report is acknowledged
    And the email to John Smith shows:
      | opened | 2 hours ago |
      | opens  | 1           |

    Examples:
      | provider            |
      | SendGrid            |
      | Amazon SES          |
      | another mail system |

  @EF-1 @SEC-1 @FLOW-2
  Scenario Outline: A report that is not proven is refused, warned about and counted, and nothing of it is used
    Given Northwind, a recruiting team that sends by <provider>
    And these emails were sent:
      | to         |
      | John Smith |
    When somebody reports that John Smith opened the email, <forged>
    Then the report is refused as not proven
    And the security warning is in the log
    And the operator's count of refusals has grown by one
    And the timeline of the email to John Smith is empty
    And no report waits for anybody

    Examples:
      | provider            | forged                       |
      | SendGrid            | unsigned                     |
      | SendGrid            | signed with a stranger's key |
      | SendGrid            | changed after it was signed  |
      | SendGrid            | with half of a signature     |
      | Amazon SES          | unsigned                     |
      | Amazon SES          | signed with a stranger's key |
      | Amazon SES          | changed after it was signed  |
      | Amazon SES          | with half of a signature     |
      | another mail system | unsigned                     |
      | another mail system | signed with a stranger's key |
      | another mail system | changed after it was signed  |
      | another mail system | with half of a signature     |

  @EF-1 @SEC-1 @ROLE
  Scenario: One customer's key does not open another customer's door
    Given Northwind, a recruiting team that sends by SendGrid
    And Southgate, a recruiting team that sends by another mail system
    And these emails were sent:
      | to         |
      | John Smith |
    When Southgate reports to the address of Northwind that John Smith opened the email
    Then the report is refused as not proven
    And the timeline of the email to John Smith is empty

  @SEC-1
  Scenario: While a key is being replaced, the old one and the new one are good; then only the new one
    Given Northwind, a recruiting team that sends by SendGrid
    And these emails were sent:
      | to         |
      | John Smith |
    And the team replaced its verification key, and the old one is still good
    When the provider reports:
      | to         | what happened | when        |
      | John Smith | opened        | 2 hours ago |
    Then every report is acknowledged
    When the old verification key is withdrawn
    Then within seconds a report that John Smith opened the email is refused as not proven

  @SEC-1
  Scenario: A team's own software adds a verification key, and withdraws one
    Given Northwind, a recruiting team that sends by SendGrid
    And these emails were sent:
      | to         |
      | John Smith |
    And the team's only verification key is one that the provider has not used yet
    When the provider's verification key is added over the API
    Then within seconds a report that John Smith opened the email is acknowledged
    And the email to John Smith shows:
      | opens | 1 |
    When the provider's verification key is withdrawn over the API
    Then within seconds a report that John Smith opened the email is refused as not proven

  @PRE-4 @SEC-1
  Scenario: Without a verification key nothing is believed
    Given Northwind, a recruiting team that sends by SendGrid
    And these emails were sent:
      | to         |
      | John Smith |
    And the team has no verification key yet
    When the provider tries to report that John Smith opened the email
    Then the report is refused as not proven

  @SEC-1
  Scenario: A recorded delivery of another mail system cannot be played again an hour later
    Given Northwind, a recruiting team that sends by another mail system
    And these emails were sent:
      | to         |
      | John Smith |
    And the provider reported:
      | to         | what happened | when        |
      | John Smith | opened        | 2 hours ago |
    When the provider repeats all of this with the signature of 1 hours ago
    Then the report is refused as not proven

  @FLOW-1
  Scenario: A report to an address that nobody has is refused
    Given Northwind, a recruiting team that sends by SendGrid
    When the provider reports to an address that nobody has
    Then the report is refused as addressed to nobody

  @FLOW-1 @FLOW-9
  Scenario: The provider's test button is answered, and nothing comes of it
    Given Northwind, a recruiting team that sends by another mail system
    When the provider presses its test button
    Then every report is acknowledged
    And no report waits for anybody

  @SEC-2
  Scenario Outline: Only the addresses on the list may report
    Given Northwind, a recruiting team that sends by SendGrid
    And these emails were sent:
      | to         |
      | John Smith |
    And the provider may report from 203.0.113.0/24 and 2001:db8::/32 only
    When a report comes from <address> that John Smith opened the email
    Then the report is <answer>

    Examples:
      | address      | answer                            |
      | 203.0.113.77 | acknowledged                      |
      | 2001:db8::25 | acknowledged                      |
      | 203.0.114.1  | refused as coming from elsewhere  |
      | 2001:db9::25 | refused as coming from elsewhere  |

  @SEC-2
  Scenario: A report from elsewhere leaves no trace, though it is signed well
    Given Northwind, a recruiting team that sends by SendGrid
    And these emails were sent:
      | to         |
      | John Smith |
    And the provider may report from 203.0.113.0/24 only
    When a report comes from 198.51.100.4 that John Smith opened the email
    Then the report is refused as coming from elsewhere
    And the timeline of the email to John Smith is empty

  @SEC-3
  Scenario: Who posts too often is told when to come back; what was acknowledged counts
    Given Northwind, a recruiting team that sends by SendGrid
    And Southgate, a recruiting team that sends by SendGrid
    And these emails were sent:
      | to         |
      | John Smith |
    And Southgate sent these emails:
      | to       |
      | Jane Doe |
    And the provider may post 5 times a minute
    When the provider posts 8 reports that John Smith opened the email
    Then 5 are acknowledged and 3 are told to come back within a minute
    And the email to John Smith shows:
      | opens | 5 |
    # Another customer's provider is not held up.
    When the provider of Southgate reports:
      | to       | what happened | when       |
      | Jane Doe | opened        | 1 hour ago |
    Then every report is acknowledged

  @DB-1 @FLOW-9
  Scenario: While a report cannot be kept it is not acknowledged; the provider's next try counts once
    Given Northwind, a recruiting team that sends by SendGrid
    And these emails were sent:
      | to         |
      | John Smith |
    And the database cannot take deliveries in
    When the provider tries to report that John Smith opened the email
    Then the provider is told to try again soon
    When the database is well again
    And the provider tries the same again
    Then the report is acknowledged
    And the email to John Smith shows:
      | opens | 1 |

  @DB-1 @FLOW-5 @FLOW-6
  Scenario: What was acknowledged while events could not be kept is recorded later, once
    Given Northwind, a recruiting team that sends by SendGrid
    And these emails were sent:
      | to         |
      | John Smith |
    And the database cannot keep events
    When the provider reports:
      | to         | what happened | when        | link                  |
      | John Smith | opened        | 2 hours ago |                       |
      | John Smith | clicked       | 1 hour ago  | https://jobs.test/one |
    Then every report is acknowledged
    And the report waits, and nothing of it shows in the email to John Smith
    When the database is well again
    Then the email to John Smith shows:
      | opens  | 1 |
      | clicks | 1 |
    And the timeline of the email to John Smith reads:
      | what happened | when        |
      | open          | 2 hours ago |
      | click         | 1 hour ago  |
