"""The target `airflow`: Airflow."""
