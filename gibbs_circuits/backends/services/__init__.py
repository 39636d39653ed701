"""Clients of services and of other people's primitives; the only room that may touch a network."""
