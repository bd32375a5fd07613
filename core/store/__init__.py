"""What happened: the schema, its migrations, and one repository a noun."""
