Feature: Hear of it at once
  Recruiters are told when a person opened, followed a link or answered: once for what happens in a row, never for what machines
  do. Everybody decides what they want to hear; what was wrong is taken back.

  @AF-3 @FLOW-8
  Scenario Outline: A candidate opens an email and the recruiter is led to their profile
    Given Northwind, a recruiting team that sends by <provider>
    And these emails were sent:
      | to         | email                |
      | John Smith | Interview invitation |
    When the provider reports:
      | to         | what happened | when           | program | from |
      | John Smith | opened        | 2 minutes ago  | Firefox | home |
    Then Ruth Recruiter is told:
      | what                              | about                | leads to               |
      | John Smith just opened your email | Interview invitation | /candidates/c-john-smith |
    And Ruth Recruiter has 1 unread notification

    Examples:
      | provider            |
      | SendGrid            |
      | Amazon SES          |
      | another mail system |

  @AF-3
  Scenario: What happens in a row is told as one, what was read is not told again
    Given Northwind, a recruiting team that sends by SendGrid
    And these emails were sent:
      | to         |
      | John Smith |
    When the provider reports:
      | to         | what happened | when          | program | from |
      | John Smith | opened        | 9 minutes ago | Firefox | home |
      | John Smith | opened        | 8 minutes ago | Firefox | home |
      | John Smith | opened        | 7 minutes ago | Firefox | home |
    And the provider repeats all of this 3 times
    Then Ruth Recruiter is told:
      | what                               |
      | John Smith opened your email 3 times |
    When Ruth Recruiter has read everything
    And the provider reports:
      | to         | what happened | when         | program | from |
      | John Smith | opened        | 1 minute ago | Firefox | home |
    Then Ruth Recruiter has 1 unread notification

  @AF-3 @BR-558.7
  Scenario: Nobody is told of machines, and of what came too late to be news
    Given Northwind, a recruiting team that sends by SendGrid
    And these emails were sent:
      | to         | sent       |
      | John Smith | 1 hour ago |
      | Jane Doe   | 3 days ago |
    When the provider reports:
      | to         | what happened | when             | link                    | program | from          |
      | John Smith | delivered     | 59 minutes ago   |                         |         |               |
      | John Smith | clicked       | 2400 seconds ago | https://jobs.test/one   | Chrome  | a data centre |
      | John Smith | clicked       | 2400 seconds ago | https://jobs.test/two   | Chrome  | a data centre |
      | John Smith | clicked       | 2399 seconds ago | https://jobs.test/three | Chrome  | a data centre |
      | Jane Doe   | opened        | 2 days ago       |                         | Firefox | home          |
    Then Ruth Recruiter is told nothing

  @AF-3 @FLOW-7 @ROLE
  Scenario: Everybody decides what they want to hear, and hears nothing of what they may not see
    Given Northwind, a recruiting team that sends by SendGrid
    And these emails were sent:
      | to         | job       | hiring manager |
      | John Smith | Developer | Mia            |
      | Jane Doe   | Tester    | Noah           |
    And Mia, a hiring manager, wants to hear of their jobs
    And Ruth Recruiter wants to hear of replies only
    When the provider reports:
      | to         | what happened | when          | program | from |
      | John Smith | opened        | 2 minutes ago | Firefox | home |
      | Jane Doe   | opened        | 2 minutes ago | Firefox | home |
    Then Mia, a hiring manager, is told:
      | what                                        |
      | John Smith just opened Ruth Recruiter's email |
    And Ruth Recruiter is told nothing

  @AF-3 @BR-558.1
  Scenario: A team that wants no notifications gets none
    Given Northwind, a recruiting team that sends by SendGrid
    And these emails were sent:
      | to         |
      | John Smith |
    And the team wants no notifications
    When the provider reports:
      | to         | what happened | when          | program | from |
      | John Smith | opened        | 2 minutes ago | Firefox | home |
    Then Ruth Recruiter is told nothing

  @AF-3 @FLOW-7
  Scenario: Somebody decides by form on their page
    Given Northwind, a recruiting team that sends by SendGrid
    And these emails were sent:
      | to         |
      | John Smith |
    And Ruth Recruiter chooses by form to be told of replies and bounces only
    When the provider reports:
      | to         | what happened | when          | program | from |
      | John Smith | opened        | 2 minutes ago | Firefox | home |
    Then Ruth Recruiter is told nothing
