"""Tools that operate SwapShop.

``cluster`` works on an installed release, ``load`` runs load tests, ``monitoring`` makes the rules
and checks queries, ``dashboards`` builds Grafana's dashboards, and ``generate`` writes the files
that are made from all of these.
"""
