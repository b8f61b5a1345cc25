Feature: Host applications are told as well
  An administrator registers where the team's own software listens. What anybody in the team is told is sent there too:
  signed, at least once, and to nowhere that nobody meant.

  Background:
    Given Northwind, a recruiting team that sends by SendGrid
    And these emails were sent:
      | to         | email                | sent       |
      | John Smith | Interview Invitation | 1 hour ago |
      | Jane Doe   | A word about Kiel    | 1 hour ago |

  @AF-3
  Scenario: A candidate opens an email, and the host application hears of it
    Given an admin has registered the host application on the settings page
    When the provider reports:
      | to         | what happened | when           | program | from |
      | John Smith | opened        | 10 seconds ago | Firefox | home |
    Then the host application is told, with the team's signature:
      | what                              | about                | for | leads to   |
      | John Smith just opened your email | Interview Invitation | r-1 | John Smith |
    And the settings page says "Delivered"

  @AF-3
  Scenario: The host application was down for a moment
    Given an admin has registered the host application on the settings page
    And the host application fails once
    When the provider reports:
      | to         | what happened | when           | program | from |
      | John Smith | opened        | 10 seconds ago | Firefox | home |
    Then the host application is told twice, under the same id
    And the settings page says "2: Delivered"

  @AF-3
  Scenario: A test shows that everything is in order
    Given an admin has registered the host application on the settings page
    When an admin sends a test
    Then the host application gets a test, with the team's signature

  @AF-3 @SEC-1
  Scenario: The secret is renewed without a gap
    Given an admin has registered the host application on the settings page
    When an admin renews the secret
    And an admin sends a test
    Then the host application gets a test, with the team's signature
    And the host application's old secret proves it as well

  @AF-3
  Scenario: A redirect is not followed
    Given an admin has registered the host application on the settings page
    And the host application redirects to another address
    When an admin sends a test
    Then the settings page says "redirects are not followed"
    And nothing arrived at the other address

  @AF-3
  Scenario: Who says that it is gone is switched off, and the admin sees why
    Given an admin has registered the host application on the settings page
    And the host application says that it is gone
    When an admin sends a test
    Then the settings page says "because the receiver answered 410"

  @AF-3 @PRE-3
  Scenario: Nothing is sent about who objected
    Given John Smith objects to being tracked
    And an admin has registered the host application on the settings page
    When the provider reports:
      | to         | what happened | when           | program | from |
      | John Smith | opened        | 20 seconds ago | Firefox | home |
      | Jane Doe   | opened        | 10 seconds ago | Firefox | home |
    Then the host application is told, with the team's signature:
      | what                            | about             | for | leads to |
      | Jane Doe just opened your email | A word about Kiel | r-1 | Jane Doe |
    And it is told nothing else

  @AF-3
  Scenario Outline: Addresses that nothing may be sent to
    When an admin registers the address <address>
    Then the settings page refuses it: <why>

    Examples:
      | address                                | why                  |
      | https://127.1/                         | four numbers         |
      | https://169.254.169.254/latest         | is no public address |
      | https://10.0.0.1/                      | is no public address |
      | https://[::1]/                         | is no public address |
      | https://user:secret@ats.example.com/   | user or password     |
      | ats.example.com                        | has no scheme        |
