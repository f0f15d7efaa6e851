"""Interlingua's users for `locust -f loadtest/locustfile.py`; a wheel has them, too, in the package."""

from interlingua_loadtest.generator.locustfile import EmbedDocumentUser, EmbedQueryUser, RerankUser, SearchUser

__all__ = ["EmbedDocumentUser", "EmbedQueryUser", "RerankUser", "SearchUser"]
