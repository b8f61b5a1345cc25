"""Who does not want our emails: what a compliance officer has to show."""
