from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import gibbs_circuits as gc
from gibbs_circuits.cli import options as cli
from gibbs_circuits.compiler.compilable import compilable
from gibbs_circuits.errors import ArgumentError
from gibbs_circuits.experiments.experiment import read_experiment
from gibbs_circuits.generators.contact import Coherent
from gibbs_circuits.generators.couplings import couplings_of
from tests.systems import boltzmann, dense

ISING = gc.models.mixed_field_ising(2)
MODEL = 'name = "mixed_field_ising"\nsites = 2\nbeta = 1.0'

READ: dict[str, tuple[str, str, Coherent | None]] = {
    "default": ("", "dll", Coherent.BALANCE),
    "kms": ('kind = "kms"\nfilter = "metropolis"', "dll", Coherent.BALANCE),
    "metropolis": ('filter = "metropolis"\nbandwidth = 40.0', "dll", Coherent.BALANCE),
    "lloyd_abanin": ('filter = "lloyd_abanin"\nsplitting = 0.8', "dll", Coherent.BALANCE),
    "filter_file": ('filter = "filter.csv"', "dll", Coherent.BALANCE),
    "ckg": ('kind = "ckg"\nsigma_E = 0.8\nomega_gamma = 0.9', "ckg", Coherent.BALANCE),
    "ckg_metropolis": ('kind = "ckg"\nfilter = "metropolis"', "ckg", Coherent.BALANCE),
    "davies": ('kind = "davies"\nbath = {kind = "ohmic", strength = 0.5, cutoff = 4}', "davies", Coherent.LAMB_SHIFT),
    "ule": ('kind = "ule"\nbath = "bath.csv"\ncoherent = "balance"', "ule", Coherent.BALANCE),
    "redfield": ('kind = "redfield"', "redfield", Coherent.LAMB_SHIFT),
    "coarse": ('kind = "coarse_grained"\nwindow = 3\nshifted = true', "coarse_grained", Coherent.LAMB_SHIFT),
    "scandi": ('kind = "scandi_alhambra"\nwindow = 0.3', "scandi_alhambra", Coherent.BALANCE),
    "power_law": ('kind = "davies"\nbath = {kind = "power_law", exponent = 3}', "davies", Coherent.LAMB_SHIFT),
    "custom": ('kind = "custom"\nkernel = "kernel.csv"', "custom", Coherent.BALANCE),
    "discrete": ('kind = "discrete"\ninside = "ckg"\nstep = 0.7', "discrete", None),
    "local": ('kind = "local"\ninside = "davies"', "local", Coherent.LAMB_SHIFT),
}

REFUSED: dict[str, tuple[str, str, str]] = {
    "kind": ('kind = "dll2"', "generator.kind", 'use "dll"'),
    "unused_filter": ('kind = "davies"\nfilter = "gaussian"', "generator.filter", "remove filter"),
    "unused_bandwidth": ("bandwidth = 3.0", "generator.bandwidth", "remove bandwidth"),
    "unused_splitting": ('filter = "metropolis"\nsplitting = 1.0', "generator.splitting", "remove splitting"),
    "unused_inside": ('inside = "dll"', "generator.inside", "unused here"),
    "unused_step": ('kind = "local"\nstep = 0.5', "generator.step", "remove step"),
    "step": ('kind = "discrete"\nstep = 2', "generator.step", "at most 0.99"),
    "inside_biased": ('kind = "discrete"\ninside = "redfield"', "generator.inside", "exact kind"),
    "inside_nested": ('kind = "discrete"\ninside = "local"', "generator.inside", "be one of"),
    "bath_key": ('kind = "ule"\nbath = {kind = "ohmic", cut = 3}', "generator.bath.cut", "strength, cutoff"),
    "bath_type": ('kind = "ule"\nbath = 5', "generator.bath", 'set bath = "ohmic"'),
    "bath_name": ('kind = "ule"\nbath = "omic"', "generator.bath", 'use "ohmic"'),
    "bath_balance": ('kind = "ule"\nbath = "flat.csv"', "flat.csv", "detailed balance"),
    "coherent": ('coherent = "lamb_shift"', "generator.coherent", 'use "balance"'),
    "redfield_balance": ('kind = "redfield"\ncoherent = "balance"', "generator.coherent", "ule"),
    "window": ('kind = "scandi_alhambra"\nwindow = 0.001', "generator.window", "representable"),
    "window_negative": ('kind = "coarse_grained"\nwindow = -1.0', "generator.window", "> 0"),
    "omega": ('kind = "ckg"\nsigma_E = 2.0\nomega_gamma = 0.1', "generator.omega_gamma", "exceed"),
    "metropolis_omega": ('kind = "ckg"\nfilter = "metropolis"\nomega_gamma = 1.0', "generator.omega_gamma", "remove"),
    "filter_type": ('filter = ["a"]', "generator.filter", 'set filter = "gaussian"'),
    "filter_missing": ('filter = "nothing.csv"', "filter", "nothing.csv"),
    "filter_balance": ('filter = "lopsided.csv"', "filter", "detailed balance"),
    "kernel_missing": ('kind = "custom"', "generator.kernel", "be given"),
    "couplings_label": ('couplings = ["IX", "X"]', "generator.couplings[1]", "2 letters"),
    "tolerance": ('kind = "davies"\ndegeneracy_tolerance = -1.0', "generator.degeneracy_tolerance", ">= 0"),
}


def bath_rows(beta: float) -> str:
    rows = [f"{w / 10},{(w / 10 / (1 - math.exp(-beta * w / 10)) if w else 1 / beta)}" for w in range(400)]
    return "\n".join(["omega,G", *rows])


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    nu = np.arange(-150, 151) / 10
    grid = np.arange(-30, 31) / 2
    files = {
        "bath.csv": bath_rows(1.0),
        "flat.csv": "\n".join(f"{w},{1.0}" for w in range(-20, 21)),
        "filter.csv": "\n".join(f"{v},{math.exp(-(v**2) / 8 - v / 4)}" for v in nu),
        "lopsided.csv": "\n".join(f"{v},{math.exp(-(v**2) / 8)}" for v in nu),
        "kernel.csv": "\n".join(
            f"{a},{b},{math.exp(-((a - b) ** 2) / 8 - (a + b) ** 2 / 16 - (a + b) / 4)}" for a in grid for b in grid
        ),
    }
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    return tmp_path


def experiment(folder: Path, generator: str, model: str = MODEL) -> Path:
    path = folder / "e.toml"
    path.write_text(f"[model]\n{model}\n[generator]\n{generator}\n")
    return path


def exact(path: Path, capsys: pytest.CaptureFixture[str]) -> tuple[int, str, str]:
    status = cli.status(["exact", str(path), "--json"])
    out, err = capsys.readouterr()
    return status, out, err


@pytest.mark.parametrize("case", READ)
def test_exact__reads_every_kind__and_what_it_writes(
    case: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text, kind, coherent = READ[case]
    path = experiment(folder, text)
    spec = read_experiment(path)
    assert spec.generator.kind == kind
    if coherent is not None:
        assert spec.generator.coherent is coherent
    status, out, _ = exact(path, capsys)
    found = json.loads(out)["generator"]
    assert status == 0
    assert found["kind"] == kind
    assert found["steady_states"] == 1
    assert found["status"]["residual"] == "measured"
    if coherent is not Coherent.LAMB_SHIFT or kind == "davies":
        assert found["residual"] <= 1e-12
        assert found["bias"] == 0
    else:
        assert found["bias"] > 1e-4
    assert found["completely_positive"] is (kind != "redfield")
    again = experiment(folder, toml(spec.filled["generator"]))
    assert read_experiment(again).filled["generator"] == spec.filled["generator"]


def toml(keys: dict[str, Any]) -> str:
    def value(x: Any) -> str:
        if isinstance(x, dict):
            return "{" + ", ".join(f"{k} = {value(v)}" for k, v in x.items()) + "}"
        return json.dumps(x)

    return "\n".join(f"{key} = {value(x)}" for key, x in keys.items())


@pytest.mark.parametrize("case", REFUSED)
def test_exact__refuses_in_one_line__bad_generator(case: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text, subject, says = REFUSED[case]
    status, out, err = exact(experiment(folder, text), capsys)
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert subject in err.split(" must ")[0]
    assert says in err
    assert " must " in err
    assert ". Fix: " in err


TWO = """[[generator.contacts]]
kind = "dll"
beta = 0.5
couplings = ["IX", "IZ"]
[[generator.contacts]]
kind = "ule"
coherent = "balance"
beta = 2.0
couplings = ["XI", "ZI"]
"""


def test_exact__two_baths__heat_flows_from_hot_to_cold(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = folder / "e.toml"
    path.write_text('[model]\nname = "mixed_field_ising"\nsites = 2\n' + TWO)
    status, out, _ = exact(path, capsys)
    found = json.loads(out)
    assert status == 0
    assert found["exact"] is None
    assert found["model"]["beta"] is None
    assert found["generator"]["kms_defect"] is None
    hot, cold = found["steady_state"]["baths"]
    assert (hot["beta"], cold["beta"]) == (0.5, 2.0)
    assert hot["heat_current"] > 1e-3
    assert hot["heat_current"] == pytest.approx(-cold["heat_current"], abs=1e-12)
    assert cli.status(["run", str(path)]) == 2
    assert "share one β" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "subject"),
    [
        ('beta = 1.0\n[[generator.contacts]]\nkind = "dll"\nbeta = 1.0', "model.beta must be absent"),
        ('[[generator.contacts]]\nkind = "dll"', "generator.contacts[0].beta must be given"),
        ('[[generator.contacts]]\nkind = "discrete"\nbeta = 1.0', "generator.contacts[0].kind must be"),
        ("[generator]\ncontacts = 3", "generator.contacts must be a list"),
        ("[generator]\ncontacts = []", "generator.contacts must be a list"),
    ],
)
def test_exact__refuses_in_one_line__bad_contacts(
    text: str, subject: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = folder / "e.toml"
    path.write_text(f'[model]\nname = "mixed_field_ising"\nsites = 2\n{text}\n')
    status, out, err = exact(path, capsys)
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert subject in err


@pytest.mark.parametrize(
    "generator",
    [
        gc.ule(ISING, 1.0), gc.redfield(ISING, 1.0), gc.discrete(ISING, 1.0), gc.local(ISING, 1.0),
        gc.several_baths(gc.dll(ISING, 1.0), gc.dll(ISING, 2.0)),
    ],
    ids=lambda g: g.kind,
)  # fmt: skip
def test_compilable__refuses__what_has_no_circuit(generator: gc.Lindbladian) -> None:
    with pytest.raises(ArgumentError, match=r"to (be compiled|become a circuit)\b.*, but .*\. Fix: "):
        compilable(generator, "parallel")


@pytest.mark.parametrize("kind", [gc.davies, gc.ckg, gc.scandi_alhambra])
def test_compilable__takes__kinds_with_many_jumps(kind: Any) -> None:
    generator = kind(ISING, 1.0)
    assert compilable(generator, "parallel") is generator


def test_run__physical_bath_as_exact_sampler__agrees() -> None:
    generator = gc.ule(ISING, 1.0, coherent="balance")
    comparison = gc.compare(gc.run(gc.compile(generator)))
    sigma = boltzmann(dense(ISING.terms), 1.0)
    assert comparison.verdict is gc.Verdict.AGREES
    np.testing.assert_allclose(gc.steady_state(generator), sigma, atol=1e-12)


def test_python__takes_objects_and_functions__filter_and_bath() -> None:
    bath = gc.baths.ohmic(1.0, 0.3, 4.0)
    by_keys = gc.ule(ISING, 1.0, bath={"kind": "ohmic", "strength": 0.3, "cutoff": 4.0}, coherent="balance")
    by_function = gc.ule(ISING, 1.0, bath=lambda w: float(bath.spectrum(w)), coherent="balance")
    gap = gc.spectral_gap(gc.ule(ISING, 1.0, bath=bath, coherent="balance")).value
    assert gc.spectral_gap(by_keys).value == pytest.approx(gap, rel=1e-12)
    assert gc.spectral_gap(by_function).value == pytest.approx(gap, rel=1e-9)
    gaussian = gc.dll(ISING, 1.0, filter=lambda nu: np.exp(-(nu**2) / 8 - nu / 4))
    assert gc.spectral_gap(gaussian).value == pytest.approx(gc.spectral_gap(gc.dll(ISING, 1.0)).value, rel=1e-12)
    with pytest.raises(ArgumentError, match="detailed balance"):
        gc.dll(ISING, 1.0, filter=lambda nu: np.exp(-(nu**2) / 8))
    with pytest.raises(ArgumentError, match="same β"):
        gc.ule(ISING, 2.0, bath=bath)


def test_couplings_of__labels__are_one_coupling_each() -> None:
    assert [c.to_list() for c in couplings_of(["IX", "ZZ"], 2)] == [[("IX", 1)], [("ZZ", 1)]]


def test_faster__names_what_mixes__where_the_gap_is_hopeless() -> None:
    model = gc.models.tfim(4)
    slow = gc.dll(model, 4.0)
    advice = gc.faster(slow)
    assert advice is not None
    assert advice.gap == pytest.approx(gc.spectral_gap(slow).value)
    assert advice.gap < 1e-3 * advice.rate
    assert advice.faster_gap / advice.faster_rate > 100 * advice.gap / advice.rate
    assert gc.spectral_gap(advice.generator).value == pytest.approx(advice.faster_gap)
    assert "metropolis" in str(advice)
    assert gc.faster(gc.dll(model, 0.5)) is None


def test_faster__says_below__where_the_gap_is_lost_in_rounding() -> None:
    advice = gc.faster(gc.dll(gc.models.mixed_field_ising(5), 30.0))  # beyond the digits
    assert advice is not None
    assert "below" in str(advice)


@pytest.mark.parametrize(("exponent", "says"), [(0.5, True), (3.0, False)])
def test_exact__warns__bath_with_memory(
    exponent: float, says: bool, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = f'kind = "scandi_alhambra"\nbath = {{kind = "power_law", exponent = {exponent}}}'
    status, _, err = exact(experiment(folder, text), capsys)
    assert status == 0
    assert ("is not Markovian" in err) is says
