"""Where doubles do not decide: linear algebra in balls and in many digits."""
