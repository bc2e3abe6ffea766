<#
.SYNOPSIS
Brings models to a site without a network.
.DESCRIPTION
The models are saved into a staging store, the store is copied to a folder, a portable disk for instance, and the copy is
tested. Run it with -Destination alone at the site, to test what arrived there. What the tests found is the output.
.EXAMPLE
./Copy-ModelStore.ps1 -Name gemma4:31b, nomic-embed-text -StagingPath D:\staging -Destination E:\models
.EXAMPLE
./Copy-ModelStore.ps1 -Destination E:\models
#>
[CmdletBinding()]
param(
    [string[]] $Name,

    [string] $StagingPath,

    [Parameter(Mandatory)]
    [string] $Destination,

    [uri] $Registry
)

$ErrorActionPreference = 'Stop'
if ($Name) {
    $source = @{}
    if ($Registry) {
        $source.Registry = $Registry
    }

    $null = Save-ModelBlob -Name $Name -StorePath $StagingPath -VerifyInline @source

    # On Windows a model of a host with a port lies in the second tree of manifests alone.
    foreach ($folder in 'blobs', 'manifests', 'manifests-v2' | Where-Object { Test-Path -LiteralPath (Join-Path $StagingPath $_) }) {
        Copy-Item -LiteralPath (Join-Path $StagingPath $folder) -Destination (New-Item -ItemType Directory -Force $Destination) -Recurse -Force
    }

    # With the block maps, the site can tell where a file is damaged.
    $work = New-Item -ItemType Directory -Force (Join-Path $Destination '.psmodel')
    Get-ChildItem -LiteralPath (Join-Path $StagingPath '.psmodel') -Filter '*.blocks' -Force | Copy-Item -Destination $work
}

Get-ModelManifest -Local -StorePath $Destination | Test-ModelBlob -StorePath $Destination
