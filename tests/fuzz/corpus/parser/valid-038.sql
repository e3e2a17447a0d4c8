STOP PIPELINE p WITH 'graceful';
