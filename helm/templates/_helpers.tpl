{{/* The name of everything: the release's, with the chart's unless it has it already. Room is left for -headless and for
     what Kubernetes appends. */}}
{{- define "baton.name" -}}
{{- $name := ternary .Release.Name (printf "%s-%s" .Release.Name .Chart.Name) (contains .Chart.Name .Release.Name) -}}
{{- $name | trunc 50 | trimSuffix "-" -}}
{{- end -}}

{{- define "baton.selector" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "baton.labels" -}}
{{ include "baton.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end -}}

{{/* The ports are those of the settings, and stand nowhere else. */}}
{{- define "baton.port" -}}
{{ regexFind "[0-9]+$" .Values.settings.listen }}
{{- end -}}

{{- define "baton.metrics-port" -}}
{{ regexFind "[0-9]+$" .Values.settings.metrics }}
{{- end -}}
