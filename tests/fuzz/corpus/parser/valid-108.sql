SELECT äö, "日本" FROM straße;
