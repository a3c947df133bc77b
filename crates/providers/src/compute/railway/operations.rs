//! What is asked of Railway, in GraphQL. A test holds it against the public schema.

use crate::http::Repeat;

/// One thing that is asked.
pub(super) struct Operation {
    pub(super) name: &'static str,
    /// The root field, by which it is called in messages.
    pub(super) field: &'static str,
    pub(super) text: &'static str,
    pub(super) repeat: Repeat,
    /// Whether what is sent must not come back in a message.
    pub(super) is_secret: bool,
}

/// The name and text of each operation that the driver uses.
pub fn documents() -> impl Iterator<Item = (&'static str, &'static str)> {
    ALL.iter().map(|operation| (operation.name, operation.text))
}

const fn look(name: &'static str, field: &'static str, text: &'static str) -> Operation {
    Operation { name, field, text, repeat: Repeat::Safe, is_secret: false }
}

/// Twice is as good as once.
const fn set(name: &'static str, field: &'static str, text: &'static str) -> Operation {
    look(name, field, text)
}

/// Twice would be one too many.
const fn make(name: &'static str, field: &'static str, text: &'static str) -> Operation {
    Operation { name, field, text, repeat: Repeat::Never, is_secret: false }
}

macro_rules! domain_state {
    () => {
        "id domain syncStatus status {
          verified verificationDnsHost verificationToken
          dnsRecords { purpose fqdn zone requiredValue }
        }"
    };
}

pub(super) const TOKEN: Operation =
    look("SpinoffToken", "apiToken", "query SpinoffToken { apiToken { workspaces { id name } } }");

pub(super) const OWNER: Operation = look("SpinoffOwner", "me", "query SpinoffOwner { me { id } }");

pub(super) const WORKSPACE: Operation = look(
    "SpinoffWorkspace",
    "workspace",
    "query SpinoffWorkspace($id: String!) {
      workspace(workspaceId: $id) { name projectCount(includeDeleted: false) apiTokenRateLimit { remainingPoints resetsAt } }
    }",
);

pub(super) const PROJECTS: Operation = look(
    "SpinoffProjects",
    "projects",
    "query SpinoffProjects($workspace: String!, $after: String) {
      projects(workspaceId: $workspace, first: 200, after: $after, includeDeleted: false, orderBy: CREATED_AT_DESC) {
        pageInfo { hasNextPage endCursor }
        edges { node { id name description deletedAt createdAt primaryEnvironmentId } }
      }
    }",
);

pub(super) const PROJECTS_IN_DETAIL: Operation = look(
    "SpinoffProjectsInDetail",
    "projects",
    "query SpinoffProjectsInDetail($workspace: String!, $after: String) {
      projects(workspaceId: $workspace, first: 100, after: $after, includeDeleted: false, orderBy: CREATED_AT_DESC) {
        pageInfo { hasNextPage endCursor }
        edges { node { id name description deletedAt createdAt primaryEnvironmentId
          environments { edges { node { id name
            serviceInstances { edges { node {
              serviceId serviceName sleepApplication
              latestDeployment { id status deploymentStopped meta }
              activeDeployments { id status deploymentStopped meta }
            } } }
          } } }
        } }
      }
    }",
);

pub(super) const INVENTORY: Operation = look(
    "SpinoffInventory",
    "projects",
    "query SpinoffInventory($workspace: String!, $after: String) {
      projects(workspaceId: $workspace, first: 100, after: $after, includeDeleted: false, orderBy: CREATED_AT_DESC) {
        pageInfo { hasNextPage endCursor }
        edges { node { id name description deletedAt createdAt primaryEnvironmentId
          environments { edges { node { id name
            serviceInstances { edges { node {
              serviceId serviceName sleepApplication
              domains { customDomains { id domain } serviceDomains { id domain } }
              latestDeployment { id status deploymentStopped meta }
              activeDeployments { id status deploymentStopped meta }
            } } }
          } } }
        } }
      }
    }",
);

pub(super) const PROJECT: Operation = look(
    "SpinoffProject",
    "project",
    "query SpinoffProject($id: String!) {
      project(id: $id) { id name description deletedAt primaryEnvironmentId
        environments { edges { node { id name
          volumeInstances { edges { node { volumeId serviceId mountPath isPendingDeletion } } }
        } } }
        services { edges { node { id name } } }
      }
    }",
);

pub(super) const CREATE_PROJECT: Operation = make(
    "SpinoffCreateProject",
    "projectCreate",
    "mutation SpinoffCreateProject($input: ProjectCreateInput!) {
      projectCreate(input: $input) { id name primaryEnvironmentId }
    }",
);

pub(super) const DELETE_PROJECT: Operation = set(
    "SpinoffDeleteProject",
    "projectDelete",
    "mutation SpinoffDeleteProject($id: String!) { projectDelete(id: $id) }",
);

pub(super) const CREATE_SERVICE: Operation = make(
    "SpinoffCreateService",
    "serviceCreate",
    "mutation SpinoffCreateService($input: ServiceCreateInput!) { serviceCreate(input: $input) { id } }",
);

pub(super) const CREATE_VOLUME: Operation = make(
    "SpinoffCreateVolume",
    "volumeCreate",
    "mutation SpinoffCreateVolume($input: VolumeCreateInput!) { volumeCreate(input: $input) { id } }",
);

pub(super) const DELETE_VOLUME: Operation = set(
    "SpinoffDeleteVolume",
    "volumeDelete",
    "mutation SpinoffDeleteVolume($id: String!) { volumeDelete(volumeId: $id) }",
);

pub(super) const SET_VARIABLES: Operation = Operation {
    name: "SpinoffSetVariables",
    field: "variableCollectionUpsert",
    text: "mutation SpinoffSetVariables($input: VariableCollectionUpsertInput!) {
      variableCollectionUpsert(input: $input)
    }",
    repeat: Repeat::Safe,
    is_secret: true,
};

pub(super) const SET_LIMITS: Operation = set(
    "SpinoffSetLimits",
    "serviceInstanceLimitsUpdate",
    "mutation SpinoffSetLimits($input: ServiceInstanceLimitsUpdateInput!) { serviceInstanceLimitsUpdate(input: $input) }",
);

pub(super) const SET_INSTANCE: Operation = set(
    "SpinoffSetInstance",
    "serviceInstanceUpdate",
    "mutation SpinoffSetInstance($service: String!, $environment: String!, $input: ServiceInstanceUpdateInput!) {
      serviceInstanceUpdate(serviceId: $service, environmentId: $environment, input: $input)
    }",
);

pub(super) const INSTANCE: Operation = look(
    "SpinoffInstance",
    "serviceInstance",
    "query SpinoffInstance($service: String!, $environment: String!) {
      serviceInstance(serviceId: $service, environmentId: $environment) {
        serviceId serviceName sleepApplication
        latestDeployment { id status deploymentStopped meta }
        activeDeployments { id status deploymentStopped meta }
      }
    }",
);

pub(super) const DEPLOY: Operation = make(
    "SpinoffDeploy",
    "serviceInstanceDeployV2",
    "mutation SpinoffDeploy($service: String!, $environment: String!) {
      serviceInstanceDeployV2(serviceId: $service, environmentId: $environment)
    }",
);

pub(super) const DEPLOYMENT: Operation = look(
    "SpinoffDeployment",
    "deployment",
    "query SpinoffDeployment($id: String!) { deployment(id: $id) { id status deploymentStopped meta } }",
);

pub(super) const DEPLOYMENTS: Operation = look(
    "SpinoffDeployments",
    "deployments",
    "query SpinoffDeployments($input: DeploymentListInput!) {
      deployments(input: $input, first: 20) { edges { node { id status canRollback deploymentStopped meta } } }
    }",
);

pub(super) const ROLL_BACK: Operation = make(
    "SpinoffRollBack",
    "deploymentRollback",
    "mutation SpinoffRollBack($id: String!) { deploymentRollback(id: $id) }",
);

pub(super) const LOGS: Operation = look(
    "SpinoffLogs",
    "deploymentLogs",
    "query SpinoffLogs($id: String!, $limit: Int) { deploymentLogs(deploymentId: $id, limit: $limit) { timestamp message } }",
);

pub(super) const BUILD_LOGS: Operation = look(
    "SpinoffBuildLogs",
    "buildLogs",
    "query SpinoffBuildLogs($id: String!, $limit: Int) { buildLogs(deploymentId: $id, limit: $limit) { timestamp message } }",
);

pub(super) const CREATE_DOMAIN: Operation = make(
    "SpinoffCreateDomain",
    "customDomainCreate",
    concat!(
        "mutation SpinoffCreateDomain($input: CustomDomainCreateInput!) { customDomainCreate(input: $input) { ",
        domain_state!(),
        " } }"
    ),
);

pub(super) const DOMAIN: Operation = look(
    "SpinoffDomain",
    "customDomain",
    concat!(
        "query SpinoffDomain($id: String!, $project: String!) { customDomain(id: $id, projectId: $project) { ",
        domain_state!(),
        " } }"
    ),
);

pub(super) const DOMAINS: Operation = look(
    "SpinoffDomains",
    "domains",
    concat!(
        "query SpinoffDomains($project: String!, $environment: String!, $service: String!) {
          domains(projectId: $project, environmentId: $environment, serviceId: $service) {
            serviceDomains { id domain syncStatus }
            customDomains { ",
        domain_state!(),
        " } } }"
    ),
);

pub(super) const DELETE_DOMAIN: Operation = set(
    "SpinoffDeleteDomain",
    "customDomainDelete",
    "mutation SpinoffDeleteDomain($id: String!) { customDomainDelete(id: $id) }",
);

pub(super) const CREATE_GENERATED: Operation = make(
    "SpinoffCreateGenerated",
    "serviceDomainCreate",
    "mutation SpinoffCreateGenerated($input: ServiceDomainCreateInput!) {
      serviceDomainCreate(input: $input) { id domain syncStatus }
    }",
);

pub(super) const DELETE_GENERATED: Operation = set(
    "SpinoffDeleteGenerated",
    "serviceDomainDelete",
    "mutation SpinoffDeleteGenerated($id: String!) { serviceDomainDelete(id: $id) }",
);

pub(super) const USAGE: Operation = look(
    "SpinoffUsage",
    "usage",
    "query SpinoffUsage($workspace: String!, $from: DateTime, $to: DateTime) {
      usage(workspaceId: $workspace, startDate: $from, endDate: $to, includeDeleted: true, groupBy: [PROJECT_ID],
        measurements: [CPU_USAGE, MEMORY_USAGE_GB, NETWORK_TX_GB, DISK_USAGE_GB, BACKUP_USAGE_GB]) {
        measurement value tags { projectId }
      }
    }",
);

pub(super) const SPEND: Operation = look(
    "SpinoffSpend",
    "workspace",
    "query SpinoffSpend($id: String!) {
      workspace(workspaceId: $id) { customer { currentUsage billingPeriod { start end } usageLimit { hardLimit } } }
    }",
);

pub(super) const ALL_PROJECTS: Operation = look(
    "SpinoffAllProjects",
    "projects",
    "query SpinoffAllProjects($workspace: String!, $after: String) {
      projects(workspaceId: $workspace, first: 200, after: $after, includeDeleted: true, orderBy: CREATED_AT_DESC) {
        pageInfo { hasNextPage endCursor }
        edges { node { id name description } }
      }
    }",
);

const ALL: &[Operation] = &[
    TOKEN,
    OWNER,
    WORKSPACE,
    PROJECTS,
    PROJECTS_IN_DETAIL,
    INVENTORY,
    PROJECT,
    CREATE_PROJECT,
    DELETE_PROJECT,
    CREATE_SERVICE,
    CREATE_VOLUME,
    DELETE_VOLUME,
    SET_VARIABLES,
    SET_LIMITS,
    SET_INSTANCE,
    INSTANCE,
    DEPLOY,
    DEPLOYMENT,
    DEPLOYMENTS,
    ROLL_BACK,
    LOGS,
    BUILD_LOGS,
    CREATE_DOMAIN,
    DOMAIN,
    DOMAINS,
    DELETE_DOMAIN,
    CREATE_GENERATED,
    DELETE_GENERATED,
    USAGE,
    SPEND,
    ALL_PROJECTS,
];
