{{- define "alcor.name" -}}
{{- if contains .Chart.Name .Release.Name }}{{ .Release.Name | trunc 40 | trimSuffix "-" }}{{ else }}{{ printf "%s-%s" .Release.Name .Chart.Name | trunc 40 | trimSuffix "-" }}{{ end }}
{{- end }}

{{- define "alcor.image" -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end }}

{{/* Labels of everything. Called with a dict of `top` and `role`. */}}
{{- define "alcor.labels" -}}
{{ include "alcor.selector" . }}
app.kubernetes.io/version: {{ .top.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .top.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .top.Chart.Name .top.Chart.Version }}
{{- end }}

{{/* What a role's pods are known by. */}}
{{- define "alcor.selector" -}}
app.kubernetes.io/name: {{ .top.Chart.Name }}
app.kubernetes.io/instance: {{ .top.Release.Name }}
app.kubernetes.io/component: {{ .role }}
{{- end }}

{{/* No root, nothing written but where a volume is. */}}
{{- define "alcor.confined" -}}
runAsNonRoot: true
runAsUser: 64000
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
seccompProfile: {type: RuntimeDefault}
{{- end }}

{{/* Pods of a role away from each other, where there is room. */}}
{{- define "alcor.apart" -}}
podAntiAffinity:
  preferredDuringSchedulingIgnoredDuringExecution:
    - weight: 100
      podAffinityTerm:
        topologyKey: kubernetes.io/hostname
        labelSelector:
          matchLabels:
            {{- include "alcor.selector" . | nindent 12 }}
{{- end }}

{{/* Where the pods of the control plane and of its servers may run. */}}
{{- define "alcor.placed" -}}
{{- with .Values.scheduling }}
{{- with .nodeSelector }}
nodeSelector: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .tolerations }}
tolerations: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- end }}
{{- end }}

{{/* How many servers of NATS run here; values of a release before there were several don't say. */}}
{{- define "alcor.natsReplicas" -}}
{{- .Values.nats.own | ternary (.Values.nats.replicas | default 1) 0 }}
{{- end }}

{{- define "alcor.natsUrl" -}}
{{- $name := printf "%s-nats" (include "alcor.name" .) }}
{{- $replicas := include "alcor.natsReplicas" . | int }}
{{- if gt $replicas 1 }}
{{- $urls := list }}
{{- range until $replicas }}
{{- $urls = append $urls (printf "nats://%s-%d.%s:4222" $name . $name) }}
{{- end }}
{{- join "," $urls }}
{{- else if .Values.nats.own }}nats://{{ $name }}:4222{{ else }}{{ required "nats.url says where NATS is" .Values.nats.url }}{{ end }}
{{- end }}

{{/* What all roles of the control plane get from Secrets. */}}
{{- define "alcor.environment" -}}
{{- if .Values.postgresql.own }}
- name: POSTGRES_PASSWORD
  valueFrom: {secretKeyRef: {name: {{ required "postgresql.passwordSecret names a Secret with the key password" .Values.postgresql.passwordSecret }}, key: password}}
- name: ALCOR_SERVED__POSTGRES
  value: postgresql://alcor:$(POSTGRES_PASSWORD)@{{ include "alcor.name" . }}-postgresql/alcor_{manager}
{{- else }}
- name: ALCOR_SERVED__POSTGRES
  valueFrom: {secretKeyRef: {name: {{ required "postgresql.urlSecret names a Secret with the key url" .Values.postgresql.urlSecret }}, key: url}}
{{- end }}
{{- with .Values.postgresql.urlsElsewhereSecret }}
- name: ALCOR_SERVED__POSTGRES_ELSEWHERE
  valueFrom: {secretKeyRef: {name: {{ . }}, key: urls}}
{{- end }}
{{- if eq .Values.auth.mode "keystone" }}
- name: ALCOR_KEYSTONE_PASSWORD
  valueFrom: {secretKeyRef: {name: {{ required "auth.keystone.passwordSecret names a Secret with the key password" .Values.auth.keystone.passwordSecret }}, key: password}}
{{- end }}
{{- end }}

{{/* Where files of settings and Secrets are, for containers. */}}
{{- define "alcor.mounts" -}}
- {name: settings, mountPath: /etc/alcor, readOnly: true}
{{- if eq .Values.auth.mode "tokens" }}
- {name: tokens, mountPath: /etc/alcor-tokens, readOnly: true}
{{- end }}
{{- if .Values.nats.credentialsSecret }}
- {name: nats, mountPath: /etc/alcor-nats, readOnly: true}
{{- end }}
{{- end }}

{{- define "alcor.volumes" -}}
- name: settings
  configMap: {name: {{ include "alcor.name" . }}}
{{- if eq .Values.auth.mode "tokens" }}
- name: tokens
  secret: {secretName: {{ required "auth.tokensSecret names a Secret with the key tokens.toml" .Values.auth.tokensSecret }}}
{{- end }}
{{- with .Values.nats.credentialsSecret }}
- name: nats
  secret: {secretName: {{ . }}}
{{- end }}
{{- end }}

{{/* Started, alive, ready: a dict of `port`. A role that starts reads the whole log first. */}}
{{- define "alcor.probes" -}}
startupProbe:
  httpGet: {path: /healthz, port: {{ .port }}}
  periodSeconds: 2
  failureThreshold: 150
livenessProbe:
  httpGet: {path: /healthz, port: {{ .port }}}
  periodSeconds: 10
  timeoutSeconds: 5
  failureThreshold: 6
readinessProbe:
  httpGet: {path: /readyz, port: {{ .port }}}
  periodSeconds: 5
  timeoutSeconds: 5
{{- end }}
