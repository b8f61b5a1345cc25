Feature: Everybody sees their own
  Organisations never see each other. In a team recruiters see everything, a hiring manager sees the jobs that name them
  and nothing else.

  @ROLE
  Scenario: Two teams wrote to the same person, each sees its own email
    Given Northwind, a recruiting team that sends by SendGrid
    And Southgate, a recruiting team that sends by SendGrid
    And these emails were sent:
      | to         | email            | message id | job       | template | campaign |
      | John Smith | Northwind writes | same-1     | Developer | Invite   | Spring   |
    And Southgate sent these emails:
      | to         | email            | message id |
      | John Smith | Southgate writes | same-1     |
    When the provider reports:
      | to         | what happened | when        | link                  |
      | John Smith | clicked       | 2 hours ago | https://jobs.test/one |
    Then a recruiter of Northwind sees these emails:
      | to         | email            | clicks |
      | John Smith | Northwind writes | 1      |
    And a recruiter of Southgate sees these emails:
      | to         | email            | clicks |
      | John Smith | Southgate writes | 0      |

  @ROLE
  Scenario: Nothing of a team can be found by another, by any way
    Given Northwind, a recruiting team that sends by SendGrid
    And Southgate, a recruiting team that sends by SendGrid
    And these emails were sent:
      | to         | job       | template | campaign |
      | John Smith | Developer | Invite   | Spring   |
    When the provider reports:
      | to         | what happened | when        | link                  |
      | John Smith | clicked       | 2 hours ago | https://jobs.test/one |
    Then a recruiter of Northwind finds all of these:
      | email John Smith     |
      | timeline John Smith  |
      | candidate John Smith |
      | campaign Spring      |
      | links Spring         |
      | job Developer        |
      | template Invite      |
    And a recruiter of Southgate finds none of these:
      | email John Smith     |
      | timeline John Smith  |
      | candidate John Smith |
      | campaign Spring      |
      | links Spring         |
      | job Developer        |
      | template Invite      |
    And a recruiter of Southgate sees these emails:
      | to |
    And nobody without a key finds any of these:
      | email John Smith     |
      | timeline John Smith  |
      | candidate John Smith |
      | campaign Spring      |
      | links Spring         |
      | job Developer        |
      | template Invite      |

  @ROLE
  Scenario: A hiring manager sees the jobs that name them
    Given Northwind, a recruiting team that sends by SendGrid
    And these emails were sent:
      | to   | email  | job       | hiring manager | template | campaign |
      | Ann  | Invite | Developer | Hanna          | Invite   | Spring   |
      | Ann  | Other  | Designer  | Omar           | Other    | Spring   |
      | Ben  | Invite | Designer  | Omar           | Other    | Spring   |
      | Cleo | Invite |           |                | Other    | Spring   |
    When the provider reports:
      | to   | email  | what happened | when         | link                  |
      | Ann  | Invite | opened        | 50 hours ago |                       |
      | Ann  | Other  | clicked       | 3 hours ago  | https://jobs.test/one |
      | Ben  | Invite | opened        | 2 hours ago  |                       |
      | Cleo | Invite | opened        | 1 hour ago   |                       |
    Then Hanna, a hiring manager, sees these emails:
      | to  | email  | opens | clicks |
      | Ann | Invite | 1     | 0      |
    # Ann's click in Omar's email is not Hanna's to know: it is neither in the score nor in the figures.
    And Hanna, a hiring manager, sees these candidates:
      | candidate | score | emails sent |
      | Ann       | 50    | 1           |
    And Hanna, a hiring manager, sees these figures of the campaign "Spring":
      | sent    | 1 |
      | opened  | 1 |
      | clicked | 0 |
    And Omar, a hiring manager, sees these figures of the campaign "Spring":
      | sent    | 2 |
      | opened  | 2 |
      | clicked | 1 |
    And Hanna, a hiring manager, finds all of these:
      | candidate Ann   |
      | campaign Spring |
      | job Developer   |
      | template Invite |
    And Hanna, a hiring manager, finds none of these:
      | email Ben      |
      | timeline Ben   |
      | email Cleo     |
      | candidate Ben  |
      | candidate Cleo |
      | job Designer   |
      | template Other |

  @ROLE
  Scenario: A hiring manager whom no job names sees nothing
    Given Northwind, a recruiting team that sends by SendGrid
    And these emails were sent:
      | to  | job       | hiring manager | campaign |
      | Ann | Developer | Hanna          | Spring   |
    Then Nobody, a hiring manager, sees these emails:
      | to |
    And Nobody, a hiring manager, finds none of these:
      | email Ann       |
      | candidate Ann   |
      | campaign Spring |
      | job Developer   |

  @ROLE
  Scenario Outline: What a role may not do
    Given Northwind, a recruiting team that sends by SendGrid
    Then a <role> may not <act>

    Examples:
      | role           | act                          |
      | hiring manager | register emails              |
      | hiring manager | see which reports failed     |
      | hiring manager | open addresses for providers |
      | hiring manager | create keys                  |
      | recruiter      | see which reports failed     |
      | recruiter      | open addresses for providers |
      | recruiter      | create keys                  |
