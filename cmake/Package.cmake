# What `cmake --install` puts where, and the .deb: `scripts/package`.
include(GNUInstallDirs)

set(generated ${CMAKE_BINARY_DIR}/generated)
add_custom_command(OUTPUT ${generated}/postern.1.gz ${generated}/postern.bash ${generated}/postern.zsh ${generated}/postern.fish
                   COMMAND postern manual | gzip -9n > ${generated}/postern.1.gz
                   COMMAND postern completion bash > ${generated}/postern.bash
                   COMMAND postern completion zsh > ${generated}/postern.zsh
                   COMMAND postern completion fish > ${generated}/postern.fish
                   DEPENDS postern VERBATIM COMMENT "Manual page and completion")
add_custom_target(manual ALL DEPENDS ${generated}/postern.1.gz)

install(TARGETS postern DESTINATION bin)
install(FILES ${generated}/postern.1.gz DESTINATION share/man/man1)
install(FILES ${generated}/postern.bash DESTINATION share/bash-completion/completions RENAME postern)
install(FILES ${generated}/postern.zsh DESTINATION share/zsh/vendor-completions RENAME _postern)
install(FILES ${generated}/postern.fish DESTINATION share/fish/vendor_completions.d)
install(DIRECTORY packaging/systemd/ DESTINATION lib/systemd/system)
install(DIRECTORY docs/ DESTINATION share/doc/postern FILES_MATCHING PATTERN "*.md")
install(FILES README.md CHANGELOG.md SECURITY.md DESTINATION share/doc/postern)
install(FILES config/organization.toml DESTINATION share/doc/postern/examples)
install(FILES LICENSE DESTINATION share/doc/postern RENAME copyright)
install(FILES config/postern.toml DESTINATION /etc/postern PERMISSIONS OWNER_READ OWNER_WRITE GROUP_READ WORLD_READ)

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME postern)
set(CPACK_PACKAGE_CONTACT "The Postern developers <postern@localhost>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "certificate enrollment gateway (ACME, registration authority, CA)")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION net)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_DEPENDS "passwd")
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA
    ${CMAKE_SOURCE_DIR}/packaging/deb/conffiles ${CMAKE_SOURCE_DIR}/packaging/deb/postinst
    ${CMAKE_SOURCE_DIR}/packaging/deb/prerm ${CMAKE_SOURCE_DIR}/packaging/deb/postrm)
include(CPack)
