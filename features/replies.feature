Feature: See who answers
  A reply is the strongest sign of interest. It is found by the address that it was sent to, else by what it quotes. What
  machines answer is no reply, and a mail that could not be delivered is a bounce. Nobody keeps what people write.

  @FLOW-4 @BR-558.4
  Scenario Outline: A candidate replies to an email
    Given Northwind, a recruiting team that sends by <provider>
    And replies come in by <way>
    And these emails were sent:
      | to         | campaign |
      | John Smith | Spring   |
      | Jane Doe   | Spring   |
    When John Smith answers from <client> 2 hours ago
    Then these emails show:
      | to         | replied     |
      | John Smith | 2 hours ago |
      | Jane Doe   |             |
    And the timeline of the email to John Smith reads:
      | what happened | when        |
      | reply         | 2 hours ago |
    And the engagement of John Smith is:
      | points for replies | 20 |
      | points for recency | 30 |
    And the figures of the campaign "Spring" are:
      | sent       | 2    |
      | replied    | 1    |
      | reply rate | 50 % |
    And nothing that was written is kept

    Examples:
      | provider            | way                                  | client      |
      | SendGrid            | SendGrid Inbound Parse               | Gmail       |
      | SendGrid            | SendGrid Inbound Parse, taken apart  | Outlook     |
      | Amazon SES          | Amazon SES                           | Apple Mail  |
      | another mail system | whole mails that are signed          | Thunderbird |
      | another mail system | SendGrid Inbound Parse               | Yahoo       |

  @FLOW-4
  Scenario Outline: A reply is found by the address that the email asked to be answered to
    Given Northwind, a recruiting team that sends by another mail system
    And replies come in by whole mails that are signed
    And these emails were sent:
      | to         | replies to             |
      | John Smith | reply.northwind.example |
    When John Smith answers from <client> 2 hours ago, and the mail quotes nothing
    Then the email to John Smith shows:
      | replied | 2 hours ago |

    Examples:
      | client      |
      | Gmail       |
      | Outlook     |
      | Apple Mail  |
      | Thunderbird |
      | Yahoo       |

  @FLOW-4
  Scenario: A reply is found by the header that the sender wrote
    Given Northwind, a recruiting team that sends by SendGrid
    And replies come in by SendGrid Inbound Parse
    And these emails were sent:
      | to         | header                     |
      | John Smith | invite-17@northwind.example |
    When John Smith answers from Gmail 2 hours ago
    Then the email to John Smith shows:
      | replied | 2 hours ago |

  @BR-558.5 @EF-3
  Scenario: A reply that comes twice, and by two ways, counts once
    Given Northwind, a recruiting team that sends by another mail system
    And replies come in by SendGrid Inbound Parse
    And these emails were sent:
      | to         |
      | John Smith |
    When John Smith answers from Gmail 2 hours ago
    And the same mail comes in by whole mails that are signed
    Then the timeline of the email to John Smith reads:
      | what happened | when        |
      | reply         | 2 hours ago |

  @FLOW-4
  Scenario: People answer from other addresses than the one they were written to
    Given Northwind, a recruiting team that sends by another mail system
    And replies come in by whole mails that are signed
    And these emails were sent:
      | to         |
      | John Smith |
    When John Smith answers from Gmail 2 hours ago, from the address "john@home.example"
    Then the email to John Smith shows:
      | replied | 2 hours ago |

  @BR-558.4
  Scenario Outline: What a machine answers is no reply
    Given Northwind, a recruiting team that sends by another mail system
    And replies come in by SendGrid Inbound Parse
    And these emails were sent:
      | to         |
      | John Smith |
    When the mailbox of John Smith answers by itself: <note>
    Then the email to John Smith shows:
      | replied | |
    And the operator sees one more mail ignored as "<reason>"
    And no report waits for anybody

    Examples:
      | note                           | reason       |
      | out of office, of Exchange     | auto_reply   |
      | vacation, of Gmail             | auto_reply   |
      | a subject that says so         | auto_reply   |
      | a receipt that it was read     | read_receipt |

  @FLOW-5
  Scenario Outline: An email that comes back is a bounce
    Given Northwind, a recruiting team that sends by another mail system
    And replies come in by <way>
    And these emails were sent:
      | to         |
      | John Smith |
    When the mail server <server> returns the email to John Smith 2 hours ago
    Then the email to John Smith shows:
      | bounced | 2 hours ago |
      | bounce  | <bounce>    |
      | reason  | <reason>    |
      | replied |             |
    And nothing that was written is kept

    Examples:
      | server     | way                                 | bounce | reason                 |
      | Postfix    | whole mails that are signed         | hard   | mailbox_does_not_exist |
      | Exchange   | SendGrid Inbound Parse              | hard   | mailbox_does_not_exist |
      | Gmail      | Amazon SES                          | soft   | mailbox_full           |
      | Amazon SES | SendGrid Inbound Parse, taken apart | block  | policy                 |

  @EF-2
  Scenario: A reply to an email that nobody registered waits for it, without its words
    Given Northwind, a recruiting team that sends by another mail system
    And replies come in by whole mails that are signed
    When somebody answers from Gmail an email that nobody registered, with message id "early-1"
    Then the orphaned reports are:
      | state    | message id | seen |
      | orphaned | early-1    | 1    |
    And nothing that was written is kept
    When these emails are registered:
      | to         | message id |
      | John Smith | early-1    |
    Then the email to John Smith shows:
      | replied | 2 hours ago |
    And no report waits for anybody

  @EF-2 @ROLE
  Scenario: A reply never reaches another team's email
    Given Northwind, a recruiting team that sends by another mail system
    And Southgate, a recruiting team that sends by another mail system
    And replies come in by whole mails that are signed
    When somebody answers from Gmail an email that nobody registered, with message id "shared-1"
    And Southgate registers these emails:
      | to         | message id |
      | John Smith | shared-1   |
    Then Northwind sees these orphaned reports:
      | state    | message id |
      | orphaned | shared-1   |

  @EF-1 @SEC-1
  Scenario: Nobody else may post mails
    Given Northwind, a recruiting team that sends by another mail system
    And replies come in by SendGrid Inbound Parse
    And these emails were sent:
      | to         |
      | John Smith |
    When somebody who does not know the password posts an answer of John Smith
    Then the report is refused as not proven
    And the email to John Smith shows:
      | replied | |

  @FLOW-3
  Scenario: A mail that cannot be read is set aside with what to do
    Given Northwind, a recruiting team that sends by Amazon SES
    And replies come in by Amazon SES
    When Amazon SES tells of a mail that it put elsewhere
    Then the one failed report says what to do: "use a receipt rule with an SNS action, encoding Base64"
