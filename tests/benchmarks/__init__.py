"""How fast the clinic is beside plain Django on the same server: `python -m tests.benchmarks [--quick]`.

`houses` starts databases and servers, `bare` is what the clinic is measured against, `load` sends requests from a
process of its own, `booking`, `day_page` and `searches` measure, `run` takes them in turns and writes the table.
"""
