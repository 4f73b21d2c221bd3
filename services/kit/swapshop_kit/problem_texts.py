"""Texts of field errors in each language, by pydantic's error type or our own code."""

from typing import Final

UNKNOWN_FIELD_CODE: Final = "invalid"

FIELD_TEXTS: Final[dict[str, dict[str, str]]] = {
    "invalid": {"es": "no es válido", "en": "is not valid"},
    "missing": {"es": "falta", "en": "is missing"},
    "extra_forbidden": {"es": "no se conoce este campo", "en": "is not a known field"},
    "json_invalid": {"es": "no es JSON aceptable", "en": "is not acceptable JSON"},
    "model_attributes_type": {"es": "debe ser un objeto JSON", "en": "must be a JSON object"},
    "model_type": {"es": "debe ser un objeto JSON", "en": "must be a JSON object"},
    "dict_type": {"es": "debe ser un objeto JSON", "en": "must be a JSON object"},
    "list_type": {"es": "debe ser una lista", "en": "must be a list"},
    "too_short": {
        "es": "debe tener al menos {min_length} elementos",
        "en": "must have at least {min_length} items",
    },
    "too_long": {
        "es": "debe tener como máximo {max_length} elementos",
        "en": "must have at most {max_length} items",
    },
    "string_type": {"es": "debe ser texto", "en": "must be text"},
    "string_too_short": {
        "es": "debe tener al menos {min_length} caracteres",
        "en": "must have at least {min_length} characters",
    },
    "string_too_long": {
        "es": "debe tener como máximo {max_length} caracteres",
        "en": "must have at most {max_length} characters",
    },
    "string_pattern_mismatch": {"es": "no tiene la forma debida", "en": "has the wrong form"},
    "text_hidden_character": {
        "es": "contiene un carácter invisible o de control",
        "en": "contains an invisible or control character",
    },
    "int_type": {"es": "debe ser un número entero", "en": "must be a whole number"},
    "int_parsing": {"es": "debe ser un número entero", "en": "must be a whole number"},
    "int_from_float": {"es": "debe ser un número entero", "en": "must be a whole number"},
    "bool_parsing": {"es": "debe ser verdadero o falso", "en": "must be true or false"},
    "money_number": {"es": "debe ser un número", "en": "must be a number"},
    "decimal_max_places": {
        "es": "debe tener como máximo {decimal_places} decimales",
        "en": "must have at most {decimal_places} decimals",
    },
    "total_too_large": {"es": "el total es demasiado grande", "en": "the total is too large"},
    "greater_than": {"es": "debe ser mayor que {gt}", "en": "must be greater than {gt}"},
    "greater_than_equal": {"es": "debe ser al menos {ge}", "en": "must be at least {ge}"},
    "less_than_equal": {"es": "debe ser como máximo {le}", "en": "must be at most {le}"},
    "enum": {"es": "debe ser uno de: {expected}", "en": "must be one of: {expected}"},
    "literal_error": {"es": "debe ser uno de: {expected}", "en": "must be one of: {expected}"},
    "email_invalid": {"es": "no es un correo válido", "en": "is not a valid e-mail address"},
    "email_not_ascii": {
        "es": "antes de la @ solo admite letras de la a a la z, números y signos como . _ - +",
        "en": "can have only letters from a to z, digits and signs such as . _ - + before the @",
    },
    "password_guessable": {
        "es": "es fácil de adivinar: es una contraseña común, una repetición o una secuencia",
        "en": "is easy to guess: it is a common password, a repetition or a sequence",
    },
    "password_personal": {
        "es": "es fácil de adivinar: se compone de su nombre, su correo o la tienda",
        "en": "is easy to guess: it is made of your name, your e-mail or the store's name",
    },
    "password_unchanged": {
        "es": "es la contraseña que ya tiene",
        "en": "is the password that you already have",
    },
    "cursor_invalid": {"es": "no es un cursor de esta lista", "en": "is not a cursor of this list"},
    "id_invalid": {"es": "no es un identificador", "en": "is not an identifier"},
    "idempotency_key_invalid": {
        "es": "debe tener de 1 a 255 caracteres ASCII visibles",
        "en": "must have 1 to 255 printable ASCII characters",
    },
}
