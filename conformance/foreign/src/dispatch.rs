//! The services that the card's application asks for: PIN store, files in pieces, wrapped keys, RSA.

use trussed::backend::{Backend as _, BackendId};
use trussed::platform::Platform;
use trussed::serde_extensions::{ExtensionDispatch, ExtensionId, ExtensionImpl};
use trussed::service::ServiceResources;
use trussed::types::Context;
use trussed_auth::AuthExtension;
use trussed_auth_backend::{AuthBackend, AuthContext, FilesystemLayout};
use trussed_chunked::ChunkedExtension;
use trussed_core::Error;
use trussed_core::api::{Reply, Request, reply, request};
use trussed_core::types::Location;
use trussed_hpke::HpkeExtension;
use trussed_rsa_alloc::SoftwareRsa;
use trussed_staging::{StagingBackend, StagingContext};
use trussed_wrap_key_to_file::WrapKeyToFileExtension;

/// In the order in which they are asked.
pub const BACKENDS: &[BackendId<Service>] =
    &[BackendId::Custom(Service::Rsa), BackendId::Custom(Service::Staging), BackendId::Custom(Service::Auth), BackendId::Core];

/// Who answers.
pub enum Service {
    Auth,
    Rsa,
    Staging,
}

/// What is asked beyond the core.
#[derive(Clone, Copy)]
pub enum Extension {
    Auth,
    Chunked,
    Hpke,
    WrapKeyToFile,
}

const EXTENSIONS: [Extension; 4] = [Extension::Auth, Extension::Chunked, Extension::Hpke, Extension::WrapKeyToFile];

impl From<Extension> for u8 {
    fn from(extension: Extension) -> Self {
        extension as Self
    }
}

impl TryFrom<u8> for Extension {
    type Error = Error;

    fn try_from(number: u8) -> Result<Self, Error> {
        EXTENSIONS.get(usize::from(number)).copied().ok_or(Error::FunctionNotSupported)
    }
}

pub struct Services {
    auth: AuthBackend,
    staging: StagingBackend,
}

#[derive(Default)]
pub struct Contexts {
    auth: AuthContext,
    staging: StagingContext,
}

impl Services {
    pub fn new() -> Self {
        Self { auth: AuthBackend::new(Location::Internal, FilesystemLayout::V0), staging: StagingBackend::default() }
    }
}

impl ExtensionDispatch for Services {
    type BackendId = Service;
    type Context = Contexts;
    type ExtensionId = Extension;

    fn core_request<P: Platform>(
        &mut self,
        service: &Service,
        context: &mut Context<Contexts>,
        request: &Request,
        resources: &mut ServiceResources<P>,
    ) -> Result<Reply, Error> {
        let (core, own) = (&mut context.core, &mut context.backends);
        match service {
            Service::Auth => self.auth.request(core, &mut own.auth, request, resources),
            Service::Rsa => SoftwareRsa.request(core, &mut (), request, resources),
            Service::Staging => self.staging.request(core, &mut own.staging, request, resources),
        }
    }

    fn extension_request<P: Platform>(
        &mut self,
        service: &Service,
        extension: &Extension,
        context: &mut Context<Contexts>,
        request: &request::SerdeExtension,
        resources: &mut ServiceResources<P>,
    ) -> Result<reply::SerdeExtension, Error> {
        let (core, own) = (&mut context.core, &mut context.backends);
        let staging = &mut self.staging;
        macro_rules! ask_staging {
            ($extension:ty) => {
                ExtensionImpl::<$extension>::extension_request_serialized(staging, core, &mut own.staging, request, resources)
            };
        }
        match (service, extension) {
            (Service::Auth, Extension::Auth) => self.auth.extension_request_serialized(core, &mut own.auth, request, resources),
            (Service::Staging, Extension::Chunked) => ask_staging!(ChunkedExtension),
            (Service::Staging, Extension::Hpke) => ask_staging!(HpkeExtension),
            (Service::Staging, Extension::WrapKeyToFile) => ask_staging!(WrapKeyToFileExtension),
            _ => Err(Error::RequestNotAvailable),
        }
    }
}

macro_rules! extension {
    ($extension:ty, $name:ident) => {
        impl ExtensionId<$extension> for Services {
            type Id = Extension;
            const ID: Extension = Extension::$name;
        }
    };
}
extension!(AuthExtension, Auth);
extension!(ChunkedExtension, Chunked);
extension!(HpkeExtension, Hpke);
extension!(WrapKeyToFileExtension, WrapKeyToFile);
