"""What follows: small pure functions over facts and statements, each explaining itself."""
