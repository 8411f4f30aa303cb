# What API servers keep, for kubectl: a file per object, as it was applied. Argo CD runs where Helm or the machine's cloud-init brought it, and does its work at once.

argo_cd_runs() {
  [ -e "$state/helm/$context/argocd/argo-cd" ] || [ -e "$state/multipass/$context/ready" ]
}

not_found() {
  complain 1 "Error from server (NotFound): $* not found"
}

# Stores the documents of standard input.
apply() {
  local document kind name
  mkdir -p "$state/api/$context"
  document=$(mktemp "$state/document.XXXXXX")
  while [ -n "${more-yes}" ]; do
    more=
    : >"$document"
    while IFS= read -r line; do
      if [ "$line" = --- ]; then
        more=yes
        break
      fi
      printf '%s\n' "$line" >>"$document"
    done
    # Whoever called it was killed before it had said what to apply.
    [ -s "$document" ] || complain 1 'error: no objects passed to apply'
    [ -s "$document" ] || complain 1 'error: no objects passed to apply'
    kind=$(sed -n 's/^kind: //p' "$document")
    name=$(sed -n 's/^metadata: {name: \([^,}]*\).*/\1/p; s/^  name: //p' "$document" | head -n 1)
    expect kind '[A-Z][A-Za-z]+' "$kind"
    expect name '[a-z0-9.-]+' "$name"
    if ! cmp -s "$document" "$state/api/$context/$kind.$name"; then
      cp "$document" "$state/api/$context/$kind.$name"
      effect "apply $context $kind/$name"
    fi
  done
  unset more
  rm "$document"
}

# What a go-template finds in a Secret. Tokens are there as soon as their Secrets are.
of_secret() {
  local object=$state/api/$context/Secret.$1
  if [ "$1" = argocd-secret ]; then
    argo_cd_runs || not_found "secrets \"$1\""
    case $2 in
    *server.secretkey*) printf yes ;;
    '{{.metadata.uid}}') printf 'signer of %s' "$context" ;;
    *) refuse "template $2" ;;
    esac
    return
  fi
  [ -e "$object" ] || not_found "secrets \"$1\""
  case $2 in
  *meshlab.dev/certificate* | *meshlab.dev/signer* | *meshlab.dev/token*) sed -n 's/.*meshlab.dev\/[a-z]*: "\(.*\)".*/\1/p' "$object" ;;
  '{{.data.server | base64decode}}') sed -n 's/^  server: //p' "$object" ;;
  '{{.metadata.uid}}') printf 'uid of %s' "$context" ;;
  '{{with .data}}{{if .token}}yes{{end}}{{end}}') printf yes ;;
  '{{.data.token | base64decode}}') printf 'hidden-token-of-%s' "$context" ;;
  '{{index .data "ca.crt"}}') printf Q0E= ;;
  *) refuse "template $2" ;;
  esac
}

of_root() {
  local object=$state/api/$context/Application.root field
  [ -e "$object" ] || not_found 'applications.argoproj.io "root"'
  field() {
    sed -n "s/^    $1: //p" "$object" | head -n 1
  }
  printf '{"spec": {"source": {"repoURL": "%s", "targetRevision": "%s", "path": "%s"}}}\n' "$(field repoURL)" "$(field targetRevision)" "$(field path)"
}

# The controller labels a workflow that has ended badly; this one never does.
of_workflow() {
  [ -e "$state/api/$context/Workflow.$1" ] || not_found "workflows.argoproj.io \"$1\""
  case $2 in
  --output=go-template=*) printf fine ;;
  --output=json) printf '{"status": {"phase": "Succeeded", "progress": "3/3"}}\n' ;;
  *) refuse "$2" ;;
  esac
}

annotate() {
  local annotated="$state/api/$context/annotated.${1#*/}"
  expect annotation '[a-z.]+/[a-z]+=true' "$2"
  [ -e "$annotated" ] || effect "annotate $context $1"
  : >"$annotated"
}

api() {
  has_context
  mkdir -p "$state/api/$context"
  case $* in
  'apply --server-side --field-manager=meshlab --force-conflicts --filename -') apply ;;
  'apply --server-side --field-manager=meshlab --force-conflicts --filename '*)
    shift 4
    while [ $# -gt 0 ]; do
      apply <"$2"
      shift 2
    done
    ;;
  'get namespace argocd argo') [ -e "$state/api/$context/Namespace.argo" ] || not_found 'namespaces "argo"' ;;
  'wait --timeout=1s --for=condition=Established crd/'* | 'wait --timeout=1s --for=condition=Available deployment --selector=app.kubernetes.io/part-of=argocd')
    argo_cd_runs || complain 1 'error: no matching resources found'
    ;;
  'get secret/'*' --output=go-template='*)
    name=${2#*/}
    template=${3#*go-template=}
    of_secret "$name" "$template"
    ;;
  'get application.argoproj.io/root --output=json') of_root ;;
  'get applications.argoproj.io --output=json') cat "$state/kubernetes-applications.json" 2>/dev/null || printf '{"items": []}\n' ;;
  'get pods --output=json') printf '{"items": []}\n' ;;
  'get workflowtemplate.argoproj.io/'*' --output=name') [ -e "$state/api/$context/Application.root" ] || not_found "${2#*/}" ;;
  'get serviceaccount/'*' --output=name' | 'get workloadgroup.networking.istio.io/'*' --output=name') echo "${2#*/}" ;;
  'create token '*' --duration=1h --audience istio-ca') echo hidden-token-for-istiod ;;
  'get workflow.argoproj.io/bootstrap-'*) of_workflow "${2#*/}" "$3" ;;
  'delete workflow.argoproj.io --selector meshlab.dev/bootstrap='*',workflows.argoproj.io/phase in (Failed,Error)') echo 'No resources found' ;;
  'annotate --overwrite helmchart.helm.cattle.io/'*) annotate "$3" "$4" ;;
  'get helmchart.helm.cattle.io/'*' --output=go-template='*)
    [ ! -e "$state/api/$context/annotated.${2#*/}" ] || printf true
    ;;
  *) refuse "$*" ;;
  esac
}
