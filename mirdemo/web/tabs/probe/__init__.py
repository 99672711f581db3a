"""The probe tab's inside: doing it (``running``, ``zero_shot``), showing it (``shown``, ``table``), the endpoint."""
