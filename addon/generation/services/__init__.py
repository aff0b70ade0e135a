# SPDX-License-Identifier: GPL-3.0-or-later
"""Adapters: each turns a package and a brief into frames at one kind of service."""
