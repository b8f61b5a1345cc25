Feature: Track emails with a pixel and links of our own
  A team whose mail system reports nothing has its emails instrumented before they are sent: with a pixel, tracked links
  and a way to unsubscribe. What readers do then shows as with any provider. Nothing in the email tells a stranger who
  got it, a link leads nowhere but where its author meant, and who does not want to be tracked is not.

  Background:
    Given Northwind, a recruiting team that sends by another mail system

  @SEC-4 @PRE-2 @AF-4
  Scenario: What a reader does shows with the link's text and place
    Given these emails were instrumented and sent:
      | to         |
      | John Smith |
    When John Smith displays the email
    And John Smith follows "Choose a time"
    Then John Smith lands at "https://jobs.test/slots?day=1&place=K%C3%B6ln"
    And the email to John Smith shows:
      | opens  | 1 |
      | clicks | 1 |
    And the timeline of the email to John Smith reads:
      | what happened | link                                          | judged |
      | open          |                                               | human  |
      | click         | https://jobs.test/slots?day=1&place=K%C3%B6ln | human  |

  @SEC-4
  Scenario: Nothing in the email tells a stranger who got it
    When these emails are instrumented:
      | to         |
      | John Smith |
    Then no pixel and no link of the email to John Smith holds a name, an address or an id

  @PRE-2
  Scenario Outline: An email that may not be tracked comes back as it was, and says why
    Given <decision>
    When these emails are instrumented:
      | to         | tracked |
      | John Smith | <asked> |
    Then the email to John Smith comes back untouched, because of "<reason>"

    Examples:
      | decision                               | asked | reason            |
      | John Smith objects to being tracked    | yes   | no_consent        |
      | Northwind tracks nobody                | yes   | tracking_disabled |
      | Northwind tracks everybody             | no    | not_asked_for     |

  @PRE-2
  Scenario: Whoever opts out after an email was sent is sent on, and not recorded
    Given these emails were instrumented and sent:
      | to         |
      | John Smith |
    And John Smith objects to being tracked
    When John Smith displays the email
    And John Smith follows "Choose a time"
    Then John Smith lands at "https://jobs.test/slots?day=1&place=K%C3%B6ln"
    And the timeline of the email to John Smith is empty

  @BR-558.7
  Scenario Outline: Machines are recognised by how they ask
    Given these emails were instrumented and sent:
      | to         |
      | John Smith |
    When a machine <asks> "Choose a time"
    Then the email to John Smith shows:
      | opens  | 0 |
      | clicks | 0 |
    And the timeline of the email to John Smith, with what machines did, reads:
      | what happened | judged   |
      | click         | <judged> |

    Examples:
      | asks                         | judged       |
      | asks for the headers only of | scanner      |
      | fetches in advance           | machine_open |

  @SEC-4 @SEC-6
  Scenario: Who asks not to be followed is counted without details
    Given these emails were instrumented and sent:
      | to         |
      | John Smith |
    When John Smith displays the email in a browser that asks not to be followed
    Then the email to John Smith shows:
      | opens | 1 |
    And nothing is known of who opened the email to John Smith

  @SEC-6
  Scenario: Looking at the unsubscribe page changes nothing, its button does
    Given these emails were instrumented and sent:
      | to         |
      | John Smith |
      | Jane Doe   |
    When John Smith looks at the unsubscribe page
    And Jane Doe presses the button of the unsubscribe page
    Then the timeline of the email to John Smith is empty
    And the timeline of the email to Jane Doe reads:
      | what happened |
      | unsubscribe   |

  @SEC-6
  Scenario: A mail program unsubscribes with one click
    Given these emails were instrumented and sent:
      | to         |
      | John Smith |
    When the mail program of John Smith unsubscribes with one click
    Then the timeline of the email to John Smith reads:
      | what happened |
      | unsubscribe   |

  @SEC-4
  Scenario: A link that was tampered with leads nowhere and counts nothing
    Given these emails were instrumented and sent:
      | to         |
      | John Smith |
    When somebody changes a letter of every link of the email to John Smith and follows them
    Then each of them gets a page that says that the link does not work
    And the timeline of the email to John Smith is empty

  @SEC-4
  Scenario: Readers are served while nothing can be written, and counted once afterwards
    Given these emails were instrumented and sent:
      | to         |
      | John Smith |
    And the database takes nothing in
    When John Smith displays the email
    And John Smith follows "Choose a time"
    And the mail program of John Smith unsubscribes with one click
    Then John Smith lands at "https://jobs.test/slots?day=1&place=K%C3%B6ln"
    And when the database takes things in again, the timeline of the email to John Smith reads:
      | what happened |
      | open          |
      | click         |
      | unsubscribe   |
