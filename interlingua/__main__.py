"""`python -m interlingua`, the same as the `interlingua` command."""

from interlingua.commands import main

main()
