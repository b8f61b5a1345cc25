Feature: Be told while it happens
  Whoever has a page open is told within a second that a candidate opened their email, and gets to the candidate with one
  click. Who is away finds it when they come back: nothing is missed, nothing comes twice.

  @AF-3 @FLOW-8 @UI-3
  Scenario Outline: A candidate opens an email while its sender has a page open
    Given Northwind, a recruiting team that sends by <provider>
    And these emails were sent:
      | to         | email                | sent       |
      | John Smith | Interview Invitation | 1 hour ago |
    And r-1 and r-2 have a page open
    When the provider reports:
      | to         | what happened | when           | program | from |
      | John Smith | opened        | 10 seconds ago | Firefox | home |
    Then r-1 is told at once:
      | what                              | about                | leads to |
      | John Smith just opened your email | Interview Invitation | John Smith |
    And r-2 is told nothing

    Examples:
      | provider            |
      | SendGrid            |
      | Amazon SES          |
      | another mail system |

  @AF-3
  Scenario: Who comes back is told what they missed, once
    Given Northwind, a recruiting team that sends by SendGrid
    And these emails were sent:
      | to         | email                | sent       |
      | John Smith | Interview Invitation | 1 hour ago |
      | Jane Doe   | A word about Kiel    | 1 hour ago |
    And r-1 has a page open
    When the provider reports:
      | to         | what happened | when           | program | from |
      | John Smith | opened        | 20 seconds ago | Firefox | home |
    Then r-1 is told at once:
      | what                              | about                | leads to   |
      | John Smith just opened your email | Interview Invitation | John Smith |
    When the connection of r-1 breaks
    And the provider reports:
      | to       | what happened | when           | program | from |
      | Jane Doe | opened        | 10 seconds ago | Firefox | home |
    And r-1 comes back
    Then r-1 is told at once:
      | what                            | about             | leads to |
      | Jane Doe just opened your email | A word about Kiel | Jane Doe |

  @AF-3
  Scenario: Nobody is told anything once they may not read any more
    Given Northwind, a recruiting team that sends by SendGrid
    And r-1 has a page open
    When the access of r-1 is withdrawn
    Then the page of r-1 is told to sign in again
