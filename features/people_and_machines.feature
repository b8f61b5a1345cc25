Feature: People and machines
  Security gateways follow links before anybody reads an email, and mail programs fetch images before anybody looks. Such
  opens and clicks are kept and shown apart; figures, scores and links count people only. What a later report reveals
  changes the verdict on earlier ones.

  @BR-558.7
  Scenario Outline: A scanner follows all links, and ten minutes later a person follows one of them
    Given Northwind, a recruiting team that sends by <provider>
    And these emails were sent:
      | to         | campaign | sent       |
      | John Smith | Spring   | 1 hour ago |
    When the provider reports:
      | to         | what happened | when             | link                    | program | from          |
      | John Smith | delivered     | 59 minutes ago   |                         |         |               |
      | John Smith | clicked       | 2400 seconds ago | https://jobs.test/one   | Chrome  | a data centre |
      | John Smith | clicked       | 2400 seconds ago | https://jobs.test/two   | Chrome  | a data centre |
      | John Smith | clicked       | 2399 seconds ago | https://jobs.test/three | Chrome  | a data centre |
      | John Smith | clicked       | 2399 seconds ago | https://jobs.test/four  | Chrome  | a data centre |
      | John Smith | clicked       | 2398 seconds ago | https://jobs.test/five  | Chrome  | a data centre |
      | John Smith | clicked       | 30 minutes ago   | https://jobs.test/three | Firefox | home          |
    Then the email to John Smith shows:
      | clicked            | 30 minutes ago |
      | clicks             | 1              |
      | different links    | 1              |
      | clicks by scanners | 5              |
    And the links of the campaign "Spring" are:
      | link                    | clicks | people |
      | https://jobs.test/three | 1      | 1      |

    Examples:
      | provider            |
      | SendGrid            |
      | Amazon SES          |
      | another mail system |

  @BR-558.7
  Scenario: A click that looked human is a scanner's once the rest of its burst is reported
    Given Northwind, a recruiting team that sends by SendGrid
    And these emails were sent:
      | to         | campaign | sent       |
      | John Smith | Spring   | 1 hour ago |
    When the provider reports:
      | to         | what happened | when           | link                  | program | from          |
      | John Smith | delivered     | 59 minutes ago |                       |         |               |
      | John Smith | clicked       | 40 minutes ago | https://jobs.test/one | Chrome  | a data centre |
    Then the email to John Smith shows:
      | clicks             | 1 |
      | clicks by scanners | 0 |
    And the figures of the campaign "Spring" are:
      | clicked | 1 |
      | opened  | 1 |
    When the provider reports:
      | to         | what happened | when             | link                    | program | from          |
      | John Smith | clicked       | 2399 seconds ago | https://jobs.test/two   | Chrome  | a data centre |
      | John Smith | clicked       | 2398 seconds ago | https://jobs.test/three | Chrome  | a data centre |
    Then the email to John Smith shows:
      | clicked            |   |
      | clicks             | 0 |
      | clicks by scanners | 3 |
    And the figures of the campaign "Spring" are:
      | clicked            | 0 |
      | opened             | 0 |
      | clicks by scanners | 3 |
    And the timeline of the email to John Smith, with what machines did, reads:
      | what happened | when             | judged  |
      | delivered     | 59 minutes ago   |         |
      | click         | 40 minutes ago   | scanner |
      | click         | 2399 seconds ago | scanner |
      | click         | 2398 seconds ago | scanner |

  @BR-558.7 @MET-1
  Scenario: Apple Mail fetches the images, then a person clicks: that is a person's open, too
    Given Northwind, a recruiting team that sends by Amazon SES
    And these emails were sent:
      | to         | campaign | sent       |
      | John Smith | Spring   | 1 hour ago |
    When the provider reports:
      | to         | what happened | when           | link                  | program                | from |
      | John Smith | delivered     | 59 minutes ago |                       |                        |      |
      | John Smith | opened        | 58 minutes ago |                       | Apple Mail's prefetch  | home |
      | John Smith | clicked       | 50 minutes ago | https://jobs.test/one | iPhone                 | home |
    Then the email to John Smith shows:
      | opens             | 0 |
      | opens by machines | 1 |
      | clicks            | 1 |
    And the figures of the campaign "Spring" are:
      | opened            | 1 |
      | opens by machines | 1 |

  @BR-558.7
  Scenario Outline: The program that fetched the images tells whether somebody looked
    Given Northwind, a recruiting team that sends by another mail system
    And these emails were sent:
      | to         | sent       |
      | John Smith | 1 hour ago |
    When the provider reports:
      | to         | what happened | when           | program   |
      | John Smith | opened        | 30 minutes ago | <program> |
    Then the email to John Smith shows:
      | opens             | <opens>    |
      | opens by machines | <machines> |
    And the timeline of the email to John Smith, with what machines did, reads:
      | what happened | when           | judged    |
      | open          | 30 minutes ago | <verdict> |

    Examples:
      | program               | verdict      | opens | machines |
      | Gmail's image proxy   | proxy_open   | 1     | 0        |
      | Yahoo's image proxy   | proxy_open   | 1     | 0        |
      | Gmail's prefetch      | machine_open | 0     | 1        |
      | Apple Mail's prefetch | machine_open | 0     | 1        |
      | Chrome                | human        | 1     | 0        |
      | Barracuda             | scanner      | 0     | 1        |
      | a program's library   | scanner      | 0     | 1        |
      | a listed crawler      | scanner      | 0     | 1        |
      | a chat's preview      | preview      | 0     | 0        |

  @BR-558.7
  Scenario: A click three seconds after delivery is a scanner's, however ordinary its browser; minutes later it is not
    Given Northwind, a recruiting team that sends by SendGrid
    And these emails were sent:
      | to         | sent       |
      | John Smith | 1 hour ago |
      | Ann Lee    | 1 hour ago |
    When the provider reports:
      | to         | what happened | when             | link                  | program |
      | John Smith | delivered     | 3000 seconds ago |                       |         |
      | John Smith | clicked       | 2997 seconds ago | https://jobs.test/one | Chrome  |
      | Ann Lee    | delivered     | 3000 seconds ago |                       |         |
      | Ann Lee    | clicked       | 2700 seconds ago | https://jobs.test/one | Chrome  |
    Then the email to John Smith shows:
      | clicks             | 0 |
      | clicks by scanners | 1 |
    And the email to Ann Lee shows:
      | clicks             | 1 |
      | clicks by scanners | 0 |

  @BR-558.7
  Scenario: The delivery may be reported after the click
    Given Northwind, a recruiting team that sends by SendGrid
    And these emails were sent:
      | to         | sent       |
      | John Smith | 1 hour ago |
    When the provider reports one by one:
      | to         | what happened | when             | link                  | program |
      | John Smith | clicked       | 2997 seconds ago | https://jobs.test/one | Chrome  |
      | John Smith | delivered     | 3000 seconds ago |                       |         |
    Then the email to John Smith shows:
      | clicks             | 0 |
      | clicks by scanners | 1 |

  @BR-558.7
  Scenario: Microsoft's gateways click from their own network, and Outlook on the web opens from there
    Given Northwind, a recruiting team that sends by SendGrid
    And these emails were sent:
      | to         | sent       |
      | John Smith | 1 hour ago |
    When the provider reports:
      | to         | what happened | when           | link                  | program | from                |
      | John Smith | opened        | 40 minutes ago |                       | Chrome  | Microsoft's network |
      | John Smith | clicked       | 20 minutes ago | https://jobs.test/one | Chrome  | Microsoft's network |
    Then the email to John Smith shows:
      | opens              | 1 |
      | clicks             | 0 |
      | clicks by scanners | 1 |

  @BR-558.7
  Scenario: Ten colleagues behind one address are ten people
    Given Northwind, a recruiting team that sends by SendGrid
    And these emails were sent:
      | to     | campaign | sent       |
      | Ann    | Spring   | 1 hour ago |
      | Ben    | Spring   | 1 hour ago |
      | Cleo   | Spring   | 1 hour ago |
      | Dan    | Spring   | 1 hour ago |
      | Eve    | Spring   | 1 hour ago |
      | Finn   | Spring   | 1 hour ago |
      | Gus    | Spring   | 1 hour ago |
      | Hana   | Spring   | 1 hour ago |
      | Ida    | Spring   | 1 hour ago |
      | Jon    | Spring   | 1 hour ago |
    When the provider reports:
      | to   | what happened | when           | program | from   |
      | Ann  | opened        | 30 minutes ago | Chrome  | office |
      | Ben  | opened        | 29 minutes ago | Chrome  | office |
      | Cleo | opened        | 28 minutes ago | Chrome  | office |
      | Dan  | opened        | 27 minutes ago | Chrome  | office |
      | Eve  | opened        | 26 minutes ago | Chrome  | office |
      | Finn | opened        | 25 minutes ago | Chrome  | office |
      | Gus  | opened        | 24 minutes ago | Chrome  | office |
      | Hana | opened        | 23 minutes ago | Chrome  | office |
      | Ida  | opened        | 22 minutes ago | Chrome  | office |
      | Jon  | opened        | 21 minutes ago | Chrome  | office |
    Then the figures of the campaign "Spring" are:
      | opened            | 10 |
      | opens by machines | 0  |
