{{- /*
First part of every object's name: as a subchart, or under a release of any name, it says whose it is. Short enough for the
longest ending, "-measured-overheads", to stay within 63 characters.
*/ -}}
{{- define "llama-operator.fullname" -}}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 44 | trimSuffix "-" }}
{{- else }}
{{- if contains "llama-operator" .Release.Name }}
{{- .Release.Name | trunc 44 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-llama-operator" .Release.Name | trunc 44 | trimSuffix "-" }}
{{- end }}
{{- end }}
{{- end }}

{{- define "llama-operator.image" -}}
{{- if .Values.operator.image }}
{{- .Values.operator.image }}
{{- else }}
{{- printf "llama-operator.dev/llama-operator:%s" .Chart.AppVersion }}
{{- end }}
{{- end }}
