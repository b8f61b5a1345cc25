Feature: Who may open which page
  People sign in by a link of their recruiting application; their role comes with it.

  @ROLE
  Scenario Outline: Pages by role
    Given Northwind, a recruiting team that sends by SendGrid
    Then the page "<page>" is <admin> for an admin
    And the page "<page>" is <recruiter> for a recruiter
    And the page "<page>" is <manager> for a hiring manager

    Examples:
      | page                    | admin | recruiter | manager |
      | /                       | open  | open      | open    |
      | /?basis=activity        | open  | open      | open    |
      | /candidates             | open  | open      | open    |
      | /emails                 | open  | open      | open    |
      | /help                   | open  | open      | open    |
      | /settings/notifications | open  | open      | open    |
      | /reports                | open  | shut      | shut    |
      | /settings/tracking      | open  | shut      | shut    |
      | /settings/keys          | open  | shut      | shut    |
      | /settings/webhooks      | open  | shut      | shut    |

  @ROLE
  Scenario: Nobody sees a page without signing in
    Given Northwind, a recruiting team that sends by SendGrid
    Then somebody without a session is led from "/reports" to signing in

  @ROLE
  Scenario: A link lets one person in, once
    Given Northwind, a recruiting team that sends by SendGrid
    Then a recruiter's link to sign in works once and not again
