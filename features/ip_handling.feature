Feature: Addresses of readers are kept as the team wants it
  A team decides whether the address from which somebody opened or clicked is kept, shortened to its network, encrypted,
  or not kept at all.

  @SEC-5
  Scenario Outline: What is shown of an address
    Given Northwind, a recruiting team that sends by SendGrid
    And the team decides:
      | IP addresses are | <handling> |
    And these emails were sent:
      | to         |
      | John Smith |
    When the provider reports:
      | to         | what happened | when         | from               |
      | John Smith | opened        | 1 hour ago   | 81.2.69.160        |
      | John Smith | opened        | 1 minute ago | 2a02:8071:b8a:5::7 |
    Then a recruiter sees this timeline of the email to John Smith:
      | what happened | when         | from          |
      | open          | 1 hour ago   | <recruiter 4> |
      | open          | 1 minute ago | <recruiter 6> |
    And an administrator sees this timeline of the email to John Smith:
      | what happened | when         | from      |
      | open          | 1 hour ago   | <admin 4> |
      | open          | 1 minute ago | <admin 6> |

    Examples:
      | handling  | recruiter 4 | recruiter 6        | admin 4     | admin 6            |
      | kept      | 81.2.69.160 | 2a02:8071:b8a:5::7 | 81.2.69.160 | 2a02:8071:b8a:5::7 |
      | shortened | 81.2.69.0   | 2a02:8071:b8a::    | 81.2.69.0   | 2a02:8071:b8a::    |
      | encrypted |             |                    | 81.2.69.160 | 2a02:8071:b8a:5::7 |
      | dropped   |             |                    |             |                    |

  @SEC-5
  Scenario Outline: An address that is not to be kept readable is nowhere in the tables
    Given Northwind, a recruiting team that sends by SendGrid
    And the team decides:
      | IP addresses are | <handling> |
    And these emails were sent:
      | to         |
      | John Smith |
    When the provider reports:
      | to         | what happened | when       | from        |
      | John Smith | opened        | 1 hour ago | 81.2.69.160 |
    Then the table "engagement_tracking" says of the email to John Smith:
      | what happened | when       | address   |
      | opened        | 1 hour ago | <address> |

    Examples:
      | handling  | address     |
      | kept      | 81.2.69.160 |
      | shortened | 81.2.69.0   |
      | encrypted |             |
      | dropped   |             |
