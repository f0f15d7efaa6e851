"""`python -m interlingua`, the same as the `interlingua` command."""

from interlingua_cli import main

main()
