//! `Domain`: custom domain names, their mappings to stages, and Route 53 records.

use std::sync::Arc;

use portcullis_syntax::node::{Key, Node};

use super::build::{At, Props, as_flag, is_call};
use super::context::{Context, Source, tags};
use super::text::{compact, hash10, seed};

/// Route 53 records, grouped by hosted zone.
#[derive(Default)]
pub(super) struct Records {
    groups: Vec<Group>,
}

struct Group {
    id: String,
    at: At,
    slot: usize,
    zone: (&'static str, Node),
    records: Vec<Node>,
    attributes: Vec<(Key, Node)>,
}

/// Hosted zone of every CloudFront distribution:
/// <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-properties-route53-aliastarget.html>.
const CLOUDFRONT_ZONE: &str = "Z2FDTNDATAQYW2";

struct Domain {
    at: At,
    /// The property with the values of known parameters in place: the ids of what it makes depend
    /// on them.
    props: Node,
    name: Option<Node>,
    hash: String,
}

fn read(source: &Source, cx: &mut Context<'_>) -> Option<Domain> {
    let domain = source.get("Domain")?;
    let at = source.at("Domain");
    if domain.as_map().is_none() || is_call(domain) {
        cx.error(domain.span, "Domain must be a map");
        return None;
    }
    let props = cx.deep_value(domain);
    // SAM refuses a domain without them; what else it says is judged all the same.
    let name = props.get("DomainName").cloned();
    if name.is_none() || props.get("CertificateArn").is_none() {
        cx.error(domain.span, "Domain needs DomainName and CertificateArn");
    }
    if let Some(mtls) = props.get("MutualTlsAuthentication")
        && (mtls.as_map().is_none_or(<[_]>::is_empty)
            || mtls
                .as_map()
                .unwrap_or_default()
                .iter()
                .all(|(k, _)| !matches!(&*k.text, "TruststoreUri" | "TruststoreVersion")))
        && !is_call(mtls)
    {
        cx.error(mtls.span, "MutualTlsAuthentication must be a map with TruststoreUri");
    }
    let hash = hash10(&name.as_ref().map_or_else(String::new, seed));
    let mut props = props;
    if let Some(mtls) = super::build::get_mut(&mut props, "MutualTlsAuthentication")
        && mtls.get("TruststoreVersion").and_then(Node::as_text).is_some_and(|v| v == "0")
    {
        super::build::remove(mtls, "TruststoreVersion");
    }
    Some(Domain { at, name, hash, props })
}

/// The domain of a REST API.
pub(super) fn rest(source: &Source, stage: &Arc<str>, cx: &mut Context<'_>) {
    let Some(domain) = read(source, cx) else { return };
    let (at, props) = (domain.at, &domain.props);
    let kind =
        props.get("EndpointConfiguration").and_then(Node::as_text).unwrap_or("REGIONAL").to_owned();
    if !matches!(kind.as_str(), "REGIONAL" | "EDGE" | "PRIVATE") {
        cx.error(at.0, "EndpointConfiguration of a Domain must be REGIONAL, EDGE or PRIVATE");
        return;
    }
    let private = kind == "PRIVATE";
    let shared = source.shared();
    let version = if private { "V2" } else { "" };
    let id: Arc<str> = format!("ApiGatewayDomainName{version}{}", domain.hash).into();
    let endpoint = Props::new(at)
        .with("Types", at.texts([kind.clone()]))
        .copy(props, &["IpAddressType"])
        .node();
    let certificate = if kind == "REGIONAL" { "RegionalCertificateArn" } else { "CertificateArn" };
    let node = Props::new(at)
        .opt("DomainName", domain.name.clone())
        .copy_as(props, "CertificateArn", certificate)
        .with("EndpointConfiguration", endpoint)
        .copy(
            props,
            &[
                "SecurityPolicy",
                "EndpointAccessMode",
                "OwnershipVerificationCertificateArn",
                "Policy",
            ],
        );
    let node = match version {
        "V2" => node,
        _ => node.copy(props, &["MutualTlsAuthentication"]),
    };
    let node = match source.get("PropagateTags").and_then(as_flag) {
        Some(true) => node.opt("Tags", tags(at, None, source.get("Tags"))),
        _ => node,
    };
    cx.add(at, id.clone(), &format!("AWS::ApiGateway::DomainName{version}"), node.node(), &shared);
    cx.refer(&source.id, "DomainName", id.clone());

    let mapping = |path: Option<&str>| {
        let props = match private {
            true => Props::new(at).with("DomainNameArn", at.reference(id.clone())),
            false => Props::new(at).with("DomainName", at.reference(id.clone())),
        };
        let props = props
            .with("RestApiId", at.reference(source.id.clone()))
            .with("Stage", at.reference(stage.clone()));
        match path {
            Some(path) => props.text("BasePath", path).node(),
            None => props.node(),
        }
    };
    let mapping_kind = format!("AWS::ApiGateway::BasePathMapping{version}");
    for (suffix, path) in
        base_paths(props, |path| path.chars().filter(|c| c.is_alphanumeric()).collect(), cx)
    {
        let id = format!("{}{suffix}BasePathMapping", source.id);
        cx.add(at, id, &mapping_kind, mapping(path.as_deref()), &shared);
    }
    if private {
        access_association(&domain, &id, &shared, cx);
    }
    records(source, &domain, &id, &kind, cx);
}

fn access_association(
    domain: &Domain,
    id: &Arc<str>,
    shared: &[(Key, Node)],
    cx: &mut Context<'_>,
) {
    let Some(association) = domain.props.get("AccessAssociation") else { return };
    let at = At(association.span);
    let Some(endpoint) = association.get("VpcEndpointId") else {
        cx.error(association.span, "AccessAssociation must be a map with VpcEndpointId");
        return;
    };
    let seed = compact(&at.seq([endpoint.clone(), at.text(id.clone())]));
    let props = Props::new(at)
        .with("DomainNameArn", at.reference(id.clone()))
        .with("AccessAssociationSource", endpoint.clone())
        .text("AccessAssociationSourceType", "VPCE")
        .node();
    let association_id = format!("DomainNameAccessAssociation{}", hash10(&seed));
    cx.add(at, association_id, "AWS::ApiGateway::DomainNameAccessAssociation", props, shared);
}

/// The domain of an HTTP or WebSocket API.
pub(super) fn v2(source: &Source, stage: &Node, cx: &mut Context<'_>) {
    let Some(domain) = read(source, cx) else { return };
    let (at, props) = (domain.at, &domain.props);
    let kind = match props.get("EndpointConfiguration").and_then(Node::as_text) {
        None | Some("REGIONAL") => "REGIONAL",
        Some(_) => {
            cx.error(at.0, "EndpointConfiguration of this Domain must be REGIONAL");
            return;
        }
    };
    let shared = source.shared();
    let id: Arc<str> = format!("ApiGatewayDomainNameV2{}", domain.hash).into();
    let configuration = Props::new(at)
        .copy(props, &["CertificateArn"])
        .text("EndpointType", kind)
        .copy(props, &["SecurityPolicy", "OwnershipVerificationCertificateArn", "IpAddressType"])
        .node();
    let node = Props::new(at)
        .opt("DomainName", domain.name.clone())
        .with("DomainNameConfigurations", at.seq([configuration]))
        .copy(props, &["MutualTlsAuthentication"])
        .opt("Tags", v2_tags(source))
        .node();
    cx.add(at, id.clone(), "AWS::ApiGatewayV2::DomainName", node, &shared);
    cx.refer(&source.id, "DomainName", id.clone());
    for (suffix, path) in base_paths(props, |path| path.trim_matches('/').to_owned(), cx) {
        let mut mapping = Props::new(at)
            .with("DomainName", at.reference(id.clone()))
            .with("ApiId", at.reference(source.id.clone()))
            .with("Stage", stage.clone());
        if let Some(path) = path {
            mapping = mapping.text("ApiMappingKey", path);
        }
        let id = format!("{}{suffix}ApiMapping", source.id);
        cx.add(at, id, "AWS::ApiGatewayV2::ApiMapping", mapping.node(), &shared);
    }
    records(source, &domain, &id, kind, cx);
}

/// HTTP and WebSocket APIs take tags as a map.
pub(super) fn v2_tags(source: &Source) -> Option<Node> {
    let at = source.at;
    let own = match &*source.kind {
        "AWS::Serverless::WebSocketApi" => "websocketapi:createdBy",
        _ => "httpapi:createdBy",
    };
    let mut node = at.map([(own, at.text("SAM"))]);
    for (key, value) in source.get("Tags").and_then(Node::as_map).unwrap_or_default() {
        super::build::set(&mut node, &key.text, value.clone());
    }
    Some(node)
}

/// Suffixes of logical ids, and base paths.
fn base_paths(
    props: &Node,
    normalised: fn(&str) -> String,
    cx: &mut Context<'_>,
) -> Vec<(String, Option<String>)> {
    let Some(given) = props.get("BasePath").filter(|b| !b.is_null()) else {
        return vec![(String::new(), None)];
    };
    let items = match given.as_seq() {
        Some(items) => items.to_vec(),
        None => vec![given.clone()],
    };
    let normalise = props.get("NormalizeBasePath").and_then(as_flag) != Some(false);
    let mut out = Vec::new();
    for item in items {
        let Some(path) = item.as_text() else {
            cx.error(item.span, "BasePath must be a list of strings");
            continue;
        };
        let plain: String = path.chars().filter(|c| c.is_alphanumeric()).collect();
        let base = match normalise {
            true => normalised(path),
            false => path.to_owned(),
        };
        out.push((plain, Some(base)));
    }
    out
}

fn records(source: &Source, domain: &Domain, id: &Arc<str>, kind: &str, cx: &mut Context<'_>) {
    let Some(route53) = domain.props.get("Route53") else { return };
    let at = At(route53.span);
    if route53.as_map().is_none() {
        cx.error(route53.span, "Route53 must be a map");
        return;
    }
    let zone = match (route53.get("HostedZoneId"), route53.get("HostedZoneName")) {
        (Some(id), None) => ("HostedZoneId", id.clone()),
        (None, Some(name)) => ("HostedZoneName", name.clone()),
        _ => {
            cx.error(route53.span, "Route53 needs HostedZoneId or HostedZoneName, and not both");
            return;
        }
    };
    let target = match kind {
        "EDGE" => {
            let name = route53.get("DistributionDomainName").cloned();
            Props::new(at).text("HostedZoneId", CLOUDFRONT_ZONE).with(
                "DNSName",
                name.unwrap_or_else(|| at.get_att(id.clone(), "DistributionDomainName")),
            )
        }
        "PRIVATE" => Props::new(at)
            .copy_as(route53, "VpcEndpointHostedZoneId", "HostedZoneId")
            .copy_as(route53, "VpcEndpointDomainName", "DNSName"),
        _ => Props::new(at)
            .with("HostedZoneId", at.get_att(id.clone(), "RegionalHostedZoneId"))
            .with("DNSName", at.get_att(id.clone(), "RegionalDomainName")),
    };
    let target = target.copy(route53, &["EvaluateTargetHealth"]).node();
    let separate = route53.get("SeparateRecordSetGroup");
    if let Some(node) = separate
        && as_flag(node).is_none()
    {
        cx.error(node.span, "SeparateRecordSetGroup must be true or false");
        return;
    }
    let separate = separate.and_then(as_flag) == Some(true);
    let mut records = Vec::new();
    let both = route53.get("IpV6").and_then(as_flag) == Some(true);
    for kind in if both { &["A", "AAAA"][..] } else { &["A"] } {
        let record = Props::new(at)
            .opt("Name", domain.name.clone())
            .text("Type", *kind)
            .copy(route53, &["Region", "SetIdentifier"])
            .with("AliasTarget", target.clone())
            .node();
        records.push(at.only_if(source.condition().filter(|_| !separate), record));
    }
    let text = match separate {
        true => compact(&at.seq([zone.1.clone()].into_iter().chain(domain.name.clone()))),
        false => seed(&zone.1),
    };
    let group_id = format!("RecordSetGroup{}", hash10(&text));
    let slot = cx.slot;
    let attributes = if separate { source.shared() } else { Vec::new() };
    match cx.records.groups.iter_mut().find(|g| g.id == group_id) {
        // Of several WebSocket APIs in a zone, SAM keeps the last one's records.
        Some(group) if &*source.kind == "AWS::Serverless::WebSocketApi" => group.records = records,
        Some(group) => group.records.extend(records),
        None => {
            cx.records.groups.push(Group { id: group_id, at, slot, zone, records, attributes });
        }
    }
}

/// Emits the groups of records.
pub(super) fn finish(cx: &mut Context<'_>) {
    for group in std::mem::take(&mut cx.records.groups) {
        let at = group.at;
        cx.slot = group.slot;
        let props = Props::new(at)
            .with(group.zone.0, group.zone.1)
            .with("RecordSets", at.seq(group.records))
            .node();
        cx.add(at, group.id, "AWS::Route53::RecordSetGroup", props, &group.attributes);
    }
}
