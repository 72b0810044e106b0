namespace onggi::cli {}
