"""A peer that speaks Tubing's protocol, written from its pages alone.

Read in this order: certificate, handshake, records, frames, channel, session; each names its page.
"""
