"""How each country writes dates and numbers, where Django's own Portuguese does not (`FORMAT_MODULE_PATH`)."""
