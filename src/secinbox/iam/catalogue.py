"""The known ways to more power in AWS, as rows of data.

`PASSES`: a role is handed to something new (or to a changed existing thing). `TAKES`: a thing that
exists and runs as a role is taken over. Ids follow pathfinding.cloud where it has one; actions and
ARN forms are facts of the Service Authorization Reference. A need is `action resource`: `*` for
actions that know no resource, `new:SERVICE:KIND...` for something that the caller names (`?*`),
`thing` for the existing thing, `thing:FIELD` for a part of it.

Known names that are no row, because they give nothing by themselves: iam:UpdateAccessKey (wakes a key
whose secret nobody gets), iam:CreateServiceSpecificCredential (opens CodeCommit and Keyspaces, not
the user's other rights), iam:DeactivateMFADevice (asked with passwords), and the services that AWS
has closed (Data Pipeline, CodeStar).
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Passes:
    """Pass a role to `service` (which the role must trust), with all of `needs`.

    place: what must exist besides. `profile`: an instance profile with the role. `cluster`: an ECS
    cluster, or the right to make one. `host`: a container instance in a cluster, `own-host`: the
    right to register one. Others are kinds of things whose ARN `thing` is.
    """

    id: str
    verb: str
    service: str
    needs: tuple[str, ...]
    place: tuple[str, ...] = ()


@dataclass(frozen=True)
class Takes:
    """Take over a thing of `kind` that runs as a role, or leads to one. `then`: how, in words."""

    id: str
    verb: str
    kind: str
    needs: tuple[str, ...]
    then: str = ", which runs as"


_RUN_INSTANCES = (
    "ec2:RunInstances new:ec2:instance/?*",
    "ec2:RunInstances new:ec2:network-interface/?*",
    "ec2:RunInstances new:ec2:security-group/?*",
    "ec2:RunInstances new:ec2:subnet/?*",
    "ec2:RunInstances new:ec2:volume/?*",
    "ec2:RunInstances arn:aws:ec2:*::image/?*",
)
_DEFINE = "ecs:RegisterTaskDefinition new:ecs:task-definition/?*:?*"
_FUNCTION = "new:lambda:function:?*"
_JOB = "new:glue:job/?*"
_INTERPRETER = "new:bedrock-agentcore:code-interpreter-custom/?*"
_STACK_SET = "new:cloudformation:stackset/?*:?*"
_STACK = "new:cloudformation:stack/?*/?*"
_MODEL, _PIPELINE = "new:sagemaker:model/?*", "new:sagemaker:pipeline/?*"
_STUDIO = "new:sagemaker:user-profile/?*/?*"
_REST_API = "arn:aws:apigateway:*::/restapis/?*"

PASSES: tuple[Passes, ...] = (
    Passes("ec2-001", "start an instance", "ec2.amazonaws.com", _RUN_INSTANCES, ("profile",)),
    Passes("ec2-004", "request a spot instance", "ec2.amazonaws.com",
           ("ec2:RequestSpotInstances new:ec2:spot-instances-request/?*",), ("profile",)),
    Passes("autoscaling-001", "start instances by a scaling group", "ec2.amazonaws.com",
           ("autoscaling:CreateLaunchConfiguration "
            "new:autoscaling:launchConfiguration:?*:launchConfigurationName/?*",
            "autoscaling:CreateAutoScalingGroup "
            "new:autoscaling:autoScalingGroup:?*:autoScalingGroupName/?*"), ("profile",)),
    Passes("autoscaling-002", "give other instances to a scaling group", "ec2.amazonaws.com",
           ("autoscaling:CreateLaunchConfiguration "
            "new:autoscaling:launchConfiguration:?*:launchConfigurationName/?*",
            "autoscaling:UpdateAutoScalingGroup thing"), ("scaling-group", "profile")),
    Passes("lambda-001", "create and call a function", "lambda.amazonaws.com",
           (f"lambda:CreateFunction {_FUNCTION}", f"lambda:InvokeFunction {_FUNCTION}")),
    Passes("lambda-002", "create a function fed by an event source", "lambda.amazonaws.com",
           (f"lambda:CreateFunction {_FUNCTION}", "lambda:CreateEventSourceMapping *")),
    Passes("lambda-006", "create a function that others may call", "lambda.amazonaws.com",
           (f"lambda:CreateFunction {_FUNCTION}", f"lambda:AddPermission {_FUNCTION}")),
    Passes("lambda-008", "change the role and the code of a function", "lambda.amazonaws.com",
           ("lambda:UpdateFunctionConfiguration thing", "lambda:UpdateFunctionCode thing"),
           ("function",)),
    Passes("cloudformation-001", "create a stack", "cloudformation.amazonaws.com",
           (f"cloudformation:CreateStack {_STACK}",)),
    Passes("cloudformation-006", "create a stack by a change set", "cloudformation.amazonaws.com",
           (f"cloudformation:CreateChangeSet {_STACK}",
            f"cloudformation:ExecuteChangeSet {_STACK}")),
    Passes("cloudformation-007", "update a stack", "cloudformation.amazonaws.com",
           ("cloudformation:UpdateStack thing",), ("any-stack",)),
    # The set's role only hands on to the execution role of each account, which trusts it.
    Passes("cloudformation-003", "create a stack set", "cloudformation.amazonaws.com",
           (f"cloudformation:CreateStackSet {_STACK_SET}",
            f"cloudformation:CreateStackInstances {_STACK_SET}")),
    Passes("ecs-002", "run a task", "ecs-tasks.amazonaws.com",
           (_DEFINE, "ecs:RunTask new:ecs:task-definition/?*:?*"), ("cluster",)),
    Passes("ecs-001", "create a service", "ecs-tasks.amazonaws.com",
           (_DEFINE, "ecs:CreateService new:ecs:service/?*"), ("cluster",)),
    Passes("ecs-005", "start a task on a host", "ecs-tasks.amazonaws.com",
           (_DEFINE, "ecs:StartTask new:ecs:task-definition/?*:?*"), ("host",)),
    Passes("ecs-007", "start a task on a host of one's own", "ecs-tasks.amazonaws.com",
           (_DEFINE, "ecs:StartTask new:ecs:task-definition/?*:?*"), ("own-host",)),
    Passes("ecs-004", "change a service", "ecs-tasks.amazonaws.com",
           (_DEFINE, "ecs:UpdateService thing"), ("ecs-service",)),
    Passes("ecs-008", "run an existing task with another role", "ecs-tasks.amazonaws.com",
           ("ecs:RunTask thing",), ("cluster", "task-definition")),
    Passes("ecs-009", "start an existing task with another role", "ecs-tasks.amazonaws.com",
           ("ecs:StartTask thing",), ("host", "task-definition")),
    Passes("ecs-007", "start an existing task with another role on a host of one's own",
           "ecs-tasks.amazonaws.com", ("ecs:StartTask thing",), ("own-host", "task-definition")),
    Passes("batch-001", "submit a job", "ecs-tasks.amazonaws.com",
           ("batch:RegisterJobDefinition new:batch:job-definition/?*",
            "batch:SubmitJob new:batch:job-definition/?*", "batch:SubmitJob thing"),
           ("job-queue",)),
    Passes("codebuild-001", "create and run a build project", "codebuild.amazonaws.com",
           ("codebuild:CreateProject new:codebuild:project/?*",
            "codebuild:StartBuild new:codebuild:project/?*")),
    Passes("codebuild-004", "create and run a batch build project", "codebuild.amazonaws.com",
           ("codebuild:CreateProject new:codebuild:project/?*",
            "codebuild:StartBuildBatch new:codebuild:project/?*")),
    Passes("codebuild-005", "change and run a build project", "codebuild.amazonaws.com",
           ("codebuild:UpdateProject thing", "codebuild:StartBuild thing"), ("project",)),
    # A start may name another service role than the project's.
    Passes("codebuild-006", "start a build with another role", "codebuild.amazonaws.com",
           ("codebuild:StartBuild thing",), ("project",)),
    Passes("codepipeline-001", "create a pipeline, which runs at once", "codepipeline.amazonaws.com",
           ("codepipeline:CreatePipeline new:codepipeline:?*",)),
    Passes("glue-001", "create a development endpoint", "glue.amazonaws.com",
           ("glue:CreateDevEndpoint *",)),
    Passes("glue-003", "create and run a job", "glue.amazonaws.com",
           (f"glue:CreateJob {_JOB}", f"glue:StartJobRun {_JOB}")),
    Passes("glue-004", "create a job and its trigger", "glue.amazonaws.com",
           (f"glue:CreateJob {_JOB}", "glue:CreateTrigger new:glue:trigger/?*")),
    Passes("glue-005", "change and run a job", "glue.amazonaws.com",
           ("glue:UpdateJob thing", "glue:StartJobRun thing"), ("glue-job",)),
    Passes("glue-006", "change a job and trigger it", "glue.amazonaws.com",
           ("glue:UpdateJob thing", "glue:CreateTrigger new:glue:trigger/?*"), ("glue-job",)),
    Passes("glue-007", "open an interactive session", "glue.amazonaws.com",
           ("glue:CreateSession new:glue:session/?*", "glue:RunStatement new:glue:session/?*")),
    Passes("sagemaker-001", "create a notebook", "sagemaker.amazonaws.com",
           ("sagemaker:CreateNotebookInstance new:sagemaker:notebook-instance/?*",)),
    Passes("sagemaker-002", "start a training job", "sagemaker.amazonaws.com",
           ("sagemaker:CreateTrainingJob new:sagemaker:training-job/?*",)),
    Passes("sagemaker-003", "start a processing job", "sagemaker.amazonaws.com",
           ("sagemaker:CreateProcessingJob new:sagemaker:processing-job/?*",)),
    Passes("sagemaker-007", "serve a model of one's own", "sagemaker.amazonaws.com",
           (f"sagemaker:CreateModel {_MODEL}",
            "sagemaker:CreateEndpointConfig new:sagemaker:endpoint-config/?*",
            "sagemaker:CreateEndpoint new:sagemaker:endpoint/?*")),
    Passes("sagemaker-008", "run a model of one's own", "sagemaker.amazonaws.com",
           (f"sagemaker:CreateModel {_MODEL}",
            "sagemaker:CreateTransformJob new:sagemaker:transform-job/?*")),
    Passes("sagemaker-009", "start a tuning job", "sagemaker.amazonaws.com",
           ("sagemaker:CreateHyperParameterTuningJob "
            "new:sagemaker:hyper-parameter-tuning-job/?*",)),
    Passes("sagemaker-010", "create and run a pipeline", "sagemaker.amazonaws.com",
           (f"sagemaker:CreatePipeline {_PIPELINE}",
            f"sagemaker:StartPipelineExecution {_PIPELINE}")),
    Passes("sagemaker-011", "make a profile of Studio and open it", "sagemaker.amazonaws.com",
           (f"sagemaker:CreateUserProfile {_STUDIO}",
            f"sagemaker:CreatePresignedDomainUrl {_STUDIO}"), ("studio-domain",)),
    Passes("bedrock-001", "create and use a code interpreter", "bedrock-agentcore.amazonaws.com",
           ("bedrock-agentcore:CreateCodeInterpreter *",
            f"bedrock-agentcore:StartCodeInterpreterSession {_INTERPRETER}",
            f"bedrock-agentcore:InvokeCodeInterpreter {_INTERPRETER}")),
    Passes("bedrock-003", "create and call an agent runtime", "bedrock-agentcore.amazonaws.com",
           ("bedrock-agentcore:CreateAgentRuntime *",
            "bedrock-agentcore:InvokeAgentRuntime new:bedrock-agentcore:runtime/?*")),
    Passes("stepfunctions-001", "create and run a state machine", "states.amazonaws.com",
           ("states:CreateStateMachine new:states:stateMachine:?*",
            "states:StartExecution new:states:stateMachine:?*")),
    Passes("stepfunctions-001", "create and run an express state machine", "states.amazonaws.com",
           ("states:CreateStateMachine new:states:stateMachine:?*",
            "states:StartSyncExecution new:states:stateMachine:?*")),
    Passes("stepfunctions-003", "try out a state that calls any API", "states.amazonaws.com",
           ("states:TestState *",)),
    Passes("stepfunctions-004", "rewrite and run a state machine", "states.amazonaws.com",
           ("states:UpdateStateMachine thing", "states:StartExecution thing"),
           ("any-machine",)),
    Passes("appsync-001", "create an API that calls any API", "appsync.amazonaws.com",
           ("appsync:CreateGraphqlApi *", "appsync:StartSchemaCreation *",
            "appsync:CreateDataSource *", "appsync:CreateResolver *", "appsync:CreateApiKey *")),
    Passes("apigateway-001", "create an API that calls any API", "apigateway.amazonaws.com",
           ("apigateway:POST arn:aws:apigateway:*::/restapis",
            f"apigateway:POST {_REST_API}", f"apigateway:PUT {_REST_API}")),
    Passes("iot-001", "make an alias of the role and a certificate for it",
           "credentials.iot.amazonaws.com",
           ("iot:CreateRoleAlias new:iot:rolealias/?*", "iot:CreateKeysAndCertificate *",
            "iot:CreatePolicy new:iot:policy/?*", "iot:AttachPolicy new:iot:cert/?*")),
    Passes("scheduler-001", "create a schedule that calls any API", "scheduler.amazonaws.com",
           ("scheduler:CreateSchedule new:scheduler:schedule/?*/?*",)),
    Passes("events-001", "create a rule with a target", "events.amazonaws.com",
           ("events:PutRule new:events:rule/?*", "events:PutTargets new:events:rule/?*")),
    Passes("scheduler-002", "rewrite a schedule", "scheduler.amazonaws.com",
           ("scheduler:UpdateSchedule thing",), ("schedule",)),
    Passes("events-002", "give a rule another target", "events.amazonaws.com",
           ("events:PutTargets thing",), ("event-rule",)),
    Passes("ssm-003", "run an automation document", "ssm.amazonaws.com",
           ("ssm:CreateDocument new:ssm:document/?*",
            "ssm:StartAutomationExecution new:ssm:document/?*")),
    # The machine that uses the activation gets credentials of the role.
    Passes("ssm-005", "register a machine of one's own", "ssm.amazonaws.com",
           ("ssm:CreateActivation *",)),
    Passes("apprunner-001", "create a service", "tasks.apprunner.amazonaws.com",
           ("apprunner:CreateService new:apprunner:service/?*",)),
    Passes("apprunner-003", "change a service", "tasks.apprunner.amazonaws.com",
           ("apprunner:UpdateService thing",), ("any-apprunner",)),
    Passes("emr-001", "start a cluster", "ec2.amazonaws.com",
           ("elasticmapreduce:RunJobFlow *",), ("profile", "emr-role")),
    Passes("emrserverless-001", "run a job", "emr-serverless.amazonaws.com",
           ("emr-serverless:CreateApplication *",
            "emr-serverless:StartJobRun new:emr-serverless:/applications/?*")),
    Passes("emrserverless-002", "run a job in an application that there is",
           "emr-serverless.amazonaws.com", ("emr-serverless:StartJobRun thing",),
           ("emr-application",)),
    Passes("imagebuilder-001", "build an image", "ec2.amazonaws.com",
           ("imagebuilder:CreateInfrastructureConfiguration "
            "new:imagebuilder:infrastructure-configuration/?*",
            "imagebuilder:CreateComponent new:imagebuilder:component/?*",
            "imagebuilder:CreateImageRecipe new:imagebuilder:image-recipe/?*",
            "imagebuilder:CreateImage new:imagebuilder:image/?*"), ("profile",)),
    Passes("gamelift-001", "start a fleet", "gamelift.amazonaws.com",
           ("gamelift:CreateBuild *", "gamelift:CreateFleet *")),
    Passes("braket-001", "run a job", "braket.amazonaws.com",
           ("braket:CreateJob new:braket:job/?*",)),
    Passes("omics-001", "run a workflow", "omics.amazonaws.com",
           ("omics:CreateWorkflow *", "omics:StartRun new:omics:run/?*")),
    Passes("kinesisanalytics-001", "run an application", "kinesisanalytics.amazonaws.com",
           ("kinesisanalytics:CreateApplication *",
            "kinesisanalytics:StartApplication new:kinesisanalytics:application/?*")),
    Passes("rolesanywhere-001", "trust a certificate authority of one's own",
           "rolesanywhere.amazonaws.com",
           ("rolesanywhere:CreateTrustAnchor *", "rolesanywhere:CreateProfile *")),
    Passes("cognitoidentity-001", "give the role to an identity pool",
           "federated:cognito-identity.amazonaws.com", ("cognito-identity:SetIdentityPoolRoles *",)),
)  # fmt: skip

TAKES: tuple[Takes, ...] = (
    Takes("ssm-001", "open a session on", "managed-instance", ("ssm:StartSession thing",)),
    Takes("ssm-002", "send a command to", "managed-instance",
          ("ssm:SendCommand thing", "ssm:SendCommand run-document")),
    Takes("ssm-006", "keep a command running on", "managed-instance",
          ("ssm:CreateAssociation thing", "ssm:CreateAssociation run-document")),
    Takes("emr-002", "add a step to", "emr-cluster", ("elasticmapreduce:AddJobFlowSteps thing",)),
    Takes("ec2-003", "send an SSH key to", "ssh-instance",
          ("ec2-instance-connect:SendSSHPublicKey thing",)),
    Takes("ec2-006", "send a serial console key to", "serial-instance",
          ("ec2-instance-connect:SendSerialConsoleSSHPublicKey thing",)),
    Takes("ec2-002", "replace the user data of", "instance",
          ("ec2:ModifyInstanceAttribute thing", "ec2:StopInstances thing",
           "ec2:StartInstances thing")),
    Takes("ec2-002", "replace the user data of", "stopped-instance",
          ("ec2:ModifyInstanceAttribute thing", "ec2:StartInstances thing")),
    Takes("lambda-003", "replace the code of", "function", ("lambda:UpdateFunctionCode thing",)),
    Takes("lambda-007", "add a layer to", "function",
          ("lambda:UpdateFunctionConfiguration thing",
           "lambda:GetLayerVersion new:lambda:layer:?*:?*")),
    Takes("lambda-009", "set options of Node.js of", "node-function",
          ("lambda:UpdateFunctionConfiguration thing",)),
    Takes("iam-026", "put a certificate of its own into", "saml-provider",
          ("iam:UpdateSAMLProvider thing",), " and sign in by it as"),
    Takes("iam-026", "make", "missing-saml-provider", ("iam:CreateSAMLProvider thing",),
          " anew and sign in by it as"),
    Takes("cloudformation-002", "update", "stack", ("cloudformation:UpdateStack thing",)),
    Takes("cloudformation-005", "change by a change set", "stack",
          ("cloudformation:CreateChangeSet thing", "cloudformation:ExecuteChangeSet thing")),
    Takes("cloudformation-004", "update", "stack-set",
          ("cloudformation:UpdateStackSet thing", "iam:PassRole thing:role")),
    Takes("codedeploy-001", "deploy to instances by", "deployment-group",
          ("codedeploy:CreateDeployment thing",
           "codedeploy:RegisterApplicationRevision thing:application")),
    Takes("eks-001", "make itself administrator of", "eks-cluster",
          ("eks:CreateAccessEntry thing", "eks:AssociateAccessPolicy thing:entry")),
    Takes("ecs-006", "run a command in", "exec-task",
          ("ecs:ExecuteCommand thing", "ecs:ExecuteCommand thing:cluster")),
    Takes("ssm-004", "open a session in", "exec-task", ("ssm:StartSession thing",)),
    Takes("batch-002", "submit a job with another command to", "job-definition",
          ("batch:SubmitJob thing", "batch:SubmitJob thing:queue")),
    Takes("codebuild-002", "start a build with other commands in", "project",
          ("codebuild:StartBuild thing",)),
    Takes("codebuild-003", "start a batch build with other commands in", "batch-project",
          ("codebuild:StartBuildBatch thing",)),
    Takes("glue-002", "put an SSH key on", "dev-endpoint", ("glue:UpdateDevEndpoint thing",)),
    # A run may name another script than the job's, which the job's role then has to read.
    Takes("glue-008", "start with a script of its own", "glue-job",
          ("glue:StartJobRun thing", "s3:GetObject its-role:arn:aws:s3:::secinbox-any/script")),
    # Amazon signs no address for a notebook that is stopped.
    Takes("sagemaker-004", "open", "open-notebook",
          ("sagemaker:CreatePresignedNotebookInstanceUrl thing",)),
    Takes("sagemaker-004", "start and open", "stopped-notebook",
          ("sagemaker:StartNotebookInstance thing",
           "sagemaker:CreatePresignedNotebookInstanceUrl thing")),
    Takes("sagemaker-006", "open Studio by the profile", "studio-profile",
          ("sagemaker:CreatePresignedDomainUrl thing",)),
    Takes("sagemaker-005", "give a start script to", "notebook",
          ("sagemaker:CreateNotebookInstanceLifecycleConfig "
           "new:sagemaker:notebook-instance-lifecycle-config/?*",
           "sagemaker:StopNotebookInstance thing", "sagemaker:UpdateNotebookInstance thing",
           "sagemaker:StartNotebookInstance thing")),
    Takes("sagemaker-005", "give a start script to", "stopped-notebook",
          ("sagemaker:CreateNotebookInstanceLifecycleConfig "
           "new:sagemaker:notebook-instance-lifecycle-config/?*",
           "sagemaker:UpdateNotebookInstance thing", "sagemaker:StartNotebookInstance thing")),
    Takes("bedrock-002", "run code in", "interpreter",
          ("bedrock-agentcore:StartCodeInterpreterSession thing",
           "bedrock-agentcore:InvokeCodeInterpreter thing")),
    Takes("bedrock-004", "run a command in", "agent-runtime",
          ("bedrock-agentcore:InvokeAgentRuntimeCommand thing",)),
    Takes("bedrock-005", "drive", "agent-browser",
          ("bedrock-agentcore:StartBrowserSession thing",
           "bedrock-agentcore:ConnectBrowserAutomationStream thing")),
    Takes("stepfunctions-002", "rewrite and run", "state-machine",
          ("states:UpdateStateMachine thing", "states:StartExecution thing")),
    Takes("stepfunctions-002", "rewrite and run", "express-machine",
          ("states:UpdateStateMachine thing", "states:StartSyncExecution thing")),
    Takes("apprunner-002", "change", "apprunner-service", ("apprunner:UpdateService thing",)),
)  # fmt: skip

# What makes somebody administrator: each of these on anything of the account.
ADMINISTRATOR: tuple[tuple[str, str], ...] = (
    ("iam:attachuserpolicy", "user/secinbox/any"),
    ("iam:putuserpolicy", "user/secinbox/any"),
    ("iam:attachrolepolicy", "role/secinbox/any"),
    ("iam:putrolepolicy", "role/secinbox/any"),
    ("iam:createpolicyversion", "policy/secinbox/any"),
    ("iam:updateassumerolepolicy", "role/secinbox/any"),
    ("iam:createaccesskey", "user/secinbox/any"),
    ("iam:createuser", "user/secinbox/any"),
    ("iam:createrole", "role/secinbox/any"),
    ("iam:passrole", "role/secinbox/any"),
)

# Wide reach: each on any resource of the service is power over a significant number of resources.
WIDE: tuple[tuple[str, str, str], ...] = (
    ("s3:putobject", "arn:aws:s3:::secinbox-any/key", "write every bucket"),
    ("s3:deletebucket", "arn:aws:s3:::secinbox-any", "delete every bucket"),
    ("s3:putbucketpolicy", "arn:aws:s3:::secinbox-any", "open every bucket"),
    ("ec2:terminateinstances", "ec2:instance/i-0secinbox", "terminate every instance"),
    ("ssm:sendcommand", "ec2:instance/i-0secinbox", "run commands on every instance"),
    ("lambda:updatefunctioncode", "lambda:function:secinbox-any", "change every function"),
    ("rds:deletedbinstance", "rds:db:secinbox-any", "delete every database"),
    ("rds:modifydbinstance", "rds:db:secinbox-any", "change every database"),
    ("dynamodb:deletetable", "dynamodb:table/secinbox-any", "delete every table"),
    ("dynamodb:putitem", "dynamodb:table/secinbox-any", "write every table"),
    ("kms:schedulekeydeletion", "kms:key/secinbox-any", "destroy every key"),
    ("kms:putkeypolicy", "kms:key/secinbox-any", "hand out every key"),
    ("secretsmanager:putsecretvalue", "secretsmanager:secret:secinbox-any", "write every secret"),
    ("cloudformation:deletestack", "cloudformation:stack/secinbox/any", "delete every stack"),
    ("eks:createaccessentry", "eks:cluster/secinbox-any", "give itself every cluster"),
    ("iam:deleterole", "iam:role/secinbox-any", "delete every role"),
)
