"""What hospitals of Europe write in their own languages: German, French, Spanish, Italian, Dutch, Portuguese."""

from __future__ import annotations

import pytest

from tests.charts import terms


@pytest.mark.parametrize(("text", "drug"), [
    ("Vénétoclax 100 mg", "venetoclax"), ("VÉNÉTOCLAX", "venetoclax"), ("Giltéritinib 40 mg comprimé", "gilteritinib"),
    ("Midostaurine 25 mg", "midostaurin"), ("Décitabine", "decitabine"), ("Étoposide", "etoposide"),
    ("Érythromycine 500 mg", "erythromycin"), ("Carbamazépine 200 mg", "carbamazepine"),
    ("Phénytoïne 100 mg", "phenytoin"), ("Fenitoína 100 mg", "phenytoin"), ("Fenytoïne 100 mg", "phenytoin"),
    ("Claritromycine 500 mg", "clarithromycin"), ("Lévofloxacine", "levofloxacin"), ("Méthadone", "methadone"),
    ("Dompéridone 10 mg", "domperidone"), ("Triflucan 200 mg", "fluconazole"), ("Seropram 20 mg", "citalopram"),
    ("Quensyl 200 mg", "hydroxychloroquine"), ("Novantron", "mitoxantrone"), ("Hierba de San Juan", "St John's wort"),
    ("Hipérico 300 mg", "St John's wort"), ("Sint-janskruid", "St John's wort"), ("Iperico", "St John's wort"),
    ("Erva de São João", "St John's wort"), ("Anfotericina B", "amphotericin B"),
])
def test_a_drug_is_known_by_its_names_in_europe(text: str, drug: str) -> None:
    assert terms().drug_names.find_all(text) == (drug,)
