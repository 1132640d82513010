//! Attributes that a resource returns as they were given to it: `!GetAtt Vpc.CidrBlock` is the
//! VPC's own `CidrBlock`.

use portcullis_core::{How, Kind, Span, Value};

use crate::eval::Evaluator;

/// Type, attribute, and the property that sets it.
///
/// From the section "Return values" of each type's page in
/// <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-template-resource-type-ref.html>.
/// Not here is what AWS makes itself when the property is left out in part (identifiers, ARNs,
/// host names).
const RETURNED: [(&str, &str, &str); 26] = [
    ("AWS::DocDB::DBCluster", "Port", "Port"),
    ("AWS::EC2::Instance", "AvailabilityZone", "AvailabilityZone"),
    ("AWS::EC2::SecurityGroup", "VpcId", "VpcId"),
    ("AWS::EC2::Subnet", "AvailabilityZone", "AvailabilityZone"),
    ("AWS::EC2::Subnet", "CidrBlock", "CidrBlock"),
    ("AWS::EC2::Subnet", "OutpostArn", "OutpostArn"),
    ("AWS::EC2::Subnet", "VpcId", "VpcId"),
    ("AWS::EC2::VPC", "CidrBlock", "CidrBlock"),
    ("AWS::ECS::Service", "Name", "ServiceName"),
    ("AWS::ElastiCache::ReplicationGroup", "ConfigurationEndPoint.Port", "Port"),
    ("AWS::ElastiCache::ReplicationGroup", "PrimaryEndPoint.Port", "Port"),
    ("AWS::ElasticLoadBalancingV2::LoadBalancer", "LoadBalancerName", "Name"),
    ("AWS::ElasticLoadBalancingV2::TargetGroup", "TargetGroupName", "Name"),
    ("AWS::Events::EventBus", "Name", "Name"),
    ("AWS::Neptune::DBCluster", "Port", "DBPort"),
    ("AWS::RDS::DBCluster", "Endpoint.Port", "Port"),
    ("AWS::RDS::DBInstance", "Endpoint.Port", "Port"),
    ("AWS::Redshift::Cluster", "Endpoint.Port", "Port"),
    ("AWS::S3::AccessPoint", "Name", "Name"),
    ("AWS::SNS::Topic", "TopicName", "TopicName"),
    ("AWS::SQS::Queue", "QueueName", "QueueName"),
    ("AWS::SSM::Parameter", "Type", "Type"),
    ("AWS::SSM::Parameter", "Value", "Value"),
    ("AWS::ServiceDiscovery::Service", "Name", "Name"),
    ("AWS::StepFunctions::Activity", "Name", "Name"),
    ("AWS::StepFunctions::StateMachine", "Name", "StateMachineName"),
];

/// Longest text that is taken over: resources that name each other would otherwise make longer and
/// longer ones.
const MAX_TEXT: usize = 4096;
/// The same, for the pieces of a text with holes.
const MAX_PIECES: usize = 64;

/// Whether a property's value says more than that the resource has it.
fn says_something(value: &Value) -> bool {
    match &value.kind {
        Kind::Null => false,
        Kind::Str(text) => text.len() <= MAX_TEXT,
        Kind::Unknown(u) => {
            let pieces = u.pieces.as_deref().unwrap_or_default();
            let text: usize = pieces.iter().flatten().map(|p| p.len()).sum();
            !u.refs.is_empty() && pieces.len() <= MAX_PIECES && text <= MAX_TEXT
        }
        Kind::Choice(c) => c.arms.iter().all(says_something),
        _ => true,
    }
}

impl Evaluator<'_> {
    /// The value of an attribute that is a property of the resource; `None` where it is not, or
    /// where the property says no more than that the resource has it.
    pub(super) fn returned(
        &mut self,
        s: usize,
        logical: &str,
        attr: &str,
        span: Span,
    ) -> Option<Value> {
        let template = self.template(s);
        let resource = template.resources.get(logical)?;
        let kind = resource.get("Type")?.as_text()?;
        let (.., property) = RETURNED.iter().find(|(t, a, _)| (*t, *a) == (kind, attr))?;
        let node = resource.get("Properties")?.get(property)?;
        let key = format!("{logical}.{attr}");
        let value = match self.scope(s).returned.get(&key) {
            Some(known) => known.clone()?,
            None => {
                // Resources that ask each other see an attribute that AWS sets.
                self.scopes[s].returned.insert(key.clone(), None);
                let value = self.deeper(span, |e| e.eval(s, node));
                let value = says_something(&value).then_some(value);
                self.scopes[s].returned.insert(key, value.clone());
                value?
            }
        };
        Some(self.hop(&value, span, How::Expression))
    }
}
