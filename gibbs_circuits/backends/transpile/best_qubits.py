"""The same routed program on the qubits of a device where the least goes wrong."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import islice

import rustworkx
from qiskit import QuantumCircuit
from qiskit.exceptions import QiskitError

from ...limits import MAX_PLACES, MAX_STATES
from ...readings.circuits.circuit import all_mapped
from ..devices.errors import log_success
from .compiled import Compiled
from .routing import relabelled

Uses = Mapping[tuple[str, tuple[int, ...]], float]


def on_best_qubits(compiled: Compiled) -> Compiled:
    """Move a routed program to where the chance that nothing goes wrong is largest.

    Every way to lay the pairs of qubits in use onto the device is compared (up to 20,000) by the product of (1 − p)
    over all gates, mean numbers over random steps, the readout of the system, and what waiting costs where that is
    known. The gates stay as they are. Without errors, or where every pair interacts, nothing is moved.

    Time: seconds for a dozen qubits on 150.
    """
    coupling, errors = compiled.device.coupling, compiled.errors
    if coupling is None or not errors.rates:
        return compiled
    wires, uses = compiled.wires, _uses(compiled)
    number = {wire: k for k, wire in enumerate(wires)}
    pattern = rustworkx.PyDiGraph()
    pattern.add_nodes_from(range(len(wires)))
    pairs = {at for _, at in uses if len(at) == 2}
    if any(len(part.options) > 1 for parts in compiled.parts for part in parts):
        pairs |= set(coupling.get_edges())  # branches that are not routed yet may use every pair among these wires
    pattern.add_edges_from([(number[a], number[b], None) for a, b in pairs if a in number and b in number])
    lattice = coupling.graph
    seconds = 0.0 if errors.idle is None else _seconds(compiled)

    def log_fidelity(place: Mapping[int, int]) -> float:
        gates = sum(n * log_success(errors.rate(name, tuple(place[w] for w in at))) for (name, at), n in uses.items())
        readout = sum(log_success(sum(errors.flips(place[w])) / 2) for w in compiled.system_qubits)
        waiting = 0.0
        if errors.idle is not None:
            waiting = -sum(seconds * (1 / t1 + 1 / t2) / 2 for t1, t2 in (errors.idle.times[place[w]] for w in wires))
        return gates + readout + waiting

    best = max([{w: w for w in wires}, *_places(lattice, pattern, wires)], key=log_fidelity)
    return compiled if all(best[w] == w for w in wires) else _moved(compiled, best, coupling.size())


def _places(
    lattice: rustworkx.PyDiGraph, pattern: rustworkx.PyDiGraph, wires: tuple[int, ...]
) -> Iterator[dict[int, int]]:
    """Where every wire could be instead."""
    found = rustworkx.vf2_mapping(lattice, pattern, subgraph=True, induced=False, call_limit=MAX_STATES)
    for mapping in islice(found, MAX_PLACES):
        yield {wires[k]: physical for physical, k in mapping.items()}


def _uses(compiled: Compiled) -> Uses:
    """How often every operation is performed, mean over random steps."""
    total = Counter[tuple[str, tuple[int, ...]]](_operations(compiled.start))
    for stage, parts in zip(compiled.written.stages, compiled.parts, strict=True):
        for part in parts:
            seen = [_operations(qc) for qc in part.distinct]
            for key in set().union(*seen):
                mean = part.mean(lambda qc, key=key: _operations(qc)[key])  # type: ignore[misc]
                total[key] += stage.repeats * mean  # type: ignore[assignment]
    return total


def _operations(qc: QuantumCircuit) -> Counter[tuple[str, tuple[int, ...]]]:
    return Counter((item.operation.name, tuple(qc.find_bit(q).index for q in item.qubits)) for item in qc.data)


def _seconds(compiled: Compiled) -> float:
    """How long all sweeps take, one block after the other; 0 where durations are not known."""
    hardware = compiled.device.hardware
    if hardware is None:
        return 0.0
    try:
        return compiled.total(lambda qc: float(qc.estimate_duration(hardware, "s")))
    except QiskitError:  # an operation without a duration
        return 0.0


def _moved(compiled: Compiled, place: Mapping[int, int], width: int) -> Compiled:
    def moved(qc: QuantumCircuit) -> QuantumCircuit:
        return relabelled(qc, place, width)

    return replace(
        compiled,
        start=moved(compiled.start),
        parts=all_mapped(compiled.parts, moved),
        placement=tuple(place[w] for w in compiled.placement),
    )
