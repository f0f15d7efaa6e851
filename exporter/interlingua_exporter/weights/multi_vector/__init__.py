"""The world's late-interaction models: what their folders say, in four layouts, and the graph and sides made of it."""
