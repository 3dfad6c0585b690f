"""The HTTP API and pages of the cloud: who signed in sees what their role and people's consent allow."""
